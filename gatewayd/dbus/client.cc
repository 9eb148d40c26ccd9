// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/decode.h"
#include "gatewayd/dbus/encode.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {

Result<void> set_client(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto change = decode_client_change(std::move(*dict), call.client);
  if (!change) return std::unexpected(change.error());
  return call.controller.set_client(call.client, *change, call.who);
}

Result<void> renew_client(Call& call) {
  const auto days = read_u32(call.in);
  if (!days) return std::unexpected(days.error());
  const auto certificate = call.controller.renew_client(call.client, *days, call.who);
  if (!certificate) return std::unexpected(certificate.error());
  put_dict(call.out, *certificate);
  return {};
}

Result<void> revoke_client(Call& call) {
  const auto reason = read_text(call.in);
  if (!reason) return std::unexpected(reason.error());
  return call.controller.revoke_client(call.client, *reason, call.who);
}

Result<void> remove_client(Call& call) { return call.controller.remove_client(call.client, call.who); }

namespace {

constexpr Method kMethods[] = {
    {"Set", "a{sv}", "", SD_BUS_PARAM(change), Access::change, set_client},
    {"Renew", "u", "a{sv}", SD_BUS_PARAM(days) SD_BUS_PARAM(certificate), Access::issue, renew_client},
    {"Revoke", "s", "", SD_BUS_PARAM(reason), Access::issue, revoke_client},
    {"Remove", "", "", "", Access::issue, remove_client},
};

}  // namespace

std::span<const Method> client_methods() { return kMethods; }

}  // namespace gw::dbus
