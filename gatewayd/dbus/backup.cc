// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/decode.h"
#include "gatewayd/dbus/encode.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {

Result<void> begin_backup(Call& call) {
  const auto started = call.controller.begin_backup(call.who);
  if (!started) return std::unexpected(started.error());
  call.out.u64(started->id).u64(started->size);
  return {};
}

Result<void> read_backup(Call& call) {
  const auto id = read_u64(call.in);
  if (!id) return std::unexpected(id.error());
  const auto offset = read_u64(call.in);
  if (!offset) return std::unexpected(offset.error());
  const auto piece = call.controller.read_backup(*id, *offset);
  if (!piece) return std::unexpected(piece.error());
  call.out.bytes(*piece);
  return {};
}

Result<void> begin_restore(Call& call) {
  const auto id = call.controller.begin_restore(call.who);
  if (!id) return std::unexpected(id.error());
  call.out.u64(*id);
  return {};
}

Result<void> write_restore(Call& call) {
  const auto id = read_u64(call.in);
  if (!id) return std::unexpected(id.error());
  const auto piece = read_bytes(call.in);
  if (!piece) return std::unexpected(piece.error());
  return call.controller.write_restore(*id, *piece);
}

Result<void> restore(Call& call) {
  const auto id = read_u64(call.in);
  if (!id) return std::unexpected(id.error());
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto options = decode_restore_options(std::move(*dict));
  if (!options) return std::unexpected(options.error());
  const auto result = call.controller.restore(*id, *options, call.who);
  if (!result) return std::unexpected(result.error());
  put_dict(call.out, *result);
  return {};
}

}  // namespace gw::dbus
