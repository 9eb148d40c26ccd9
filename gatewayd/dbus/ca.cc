// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/encode.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {

Result<void> get_crl(Call& call) {
  const auto crls = call.controller.crls_der();
  if (!crls) return std::unexpected(crls.error());
  call.out.bytes(crls->front());
  return {};
}

Result<void> list_crls(Call& call) {
  const auto crls = call.controller.crls_der();
  if (!crls) return std::unexpected(crls.error());
  std::vector<std::string> pems;
  for (const std::string& der : *crls) pems.push_back(pki::crl_pem(der));
  call.out.texts(pems);
  return {};
}

Result<void> get_authority(Call& call) {
  const auto status = call.controller.authority();
  if (!status) return std::unexpected(status.error());
  put_dicts(call.out, status->parts);
  call.out.open_dict().put("has_root_key", status->has_root_key).put("request", status->request).close();
  return {};
}

Result<void> init_authority(Call& call) {
  const auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  const auto made = call.controller.init_authority(*name, call.who);
  return made ? Result<void>() : std::unexpected(made.error());
}

Result<void> rotate_authority(Call& call) {
  const auto what = read_text(call.in);
  if (!what) return std::unexpected(what.error());
  const auto made = call.controller.rotate_authority(*what, call.who);
  return made ? Result<void>() : std::unexpected(made.error());
}

Result<void> request_authority(Call& call) {
  const auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  const auto request = call.controller.request_authority(*name, call.who);
  if (!request) return std::unexpected(request.error());
  call.out.text(*request);
  return {};
}

Result<void> import_authority(Call& call) {
  const auto pems = read_text(call.in);
  if (!pems) return std::unexpected(pems.error());
  const auto cut_off = read_bool(call.in);
  if (!cut_off) return std::unexpected(cut_off.error());
  const auto made = call.controller.import_authority(*pems, *cut_off, call.who);
  return made ? Result<void>() : std::unexpected(made.error());
}

}  // namespace gw::dbus
