// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "gatewayd/base/file.h"
#include "gatewayd/control/gateway.h"

/// Everything that makes this gateway this one, in one piece. The caller seals it (pki/seal.h).
namespace gw::control {
namespace {

constexpr size_t kPiece = size_t{1} << 20U;
constexpr const char* kBackUp = "back up";
constexpr size_t kMostFile = size_t{1} << 30U;

Result<void> add_file(backup::Files& files, const std::string& name, const std::string& path) {
  auto content = read_file(path, kMostFile);
  if (!content) return std::unexpected(content.error());
  files.emplace_back(name, std::move(*content));
  pki::wipe(*content);
  return {};
}

Result<void> add_registry(backup::Files& files, const registry::Registry& registry, const std::string& state) {
  const std::string copy = state + "/registry.db.backup";
  if (auto copied = registry.copy_to(copy); !copied) return copied;
  auto added = add_file(files, "state/registry.db", copy);
  ::unlink(copy.c_str());
  return added;
}

}  // namespace

void Transfer::forget() {
  pki::wipe(content);
  content = {};
}

Result<backup::Files> GatewayController::collect_backup() {
  const auto in_force = applied_or_error(kBackUp, {});
  if (!in_force) return std::unexpected(in_force.error());
  const nlohmann::json facts = {{"format", 1},
                                {"created", now()},
                                {"gateway", (*in_force)->name},
                                {"version", options_.version},
                                {"public_key", options_.public_key.str()}};
  backup::Files out;
  out.emplace_back("backup.json", facts.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  const auto written = config::read_files(options_.config_directory);
  if (!written) return std::unexpected(written.error());
  for (const config::File& file : *written) out.emplace_back("config/" + file.name, file.text);
  if (const auto confirmed = parts_.intents.confirmed()) {
    for (const config::File& file : confirmed->files) out.emplace_back("applied/" + file.name, file.text);
  }
  const std::string& state = options_.state_directory;
  if (auto added = add_file(out, "state/wireguard.key", state + "/wireguard.key"); !added)
    return std::unexpected(added.error());
  // The keys are not gatewayd's to read: whoever may asks their holder (docs/adr/0010-signer.md).
  if (const auto authority = open_authority()) {
    out.emplace_back("state/ca/root.crt", authority->root().pem);
    out.emplace_back("state/ca/issuing.crt", authority->issuing().pem);
  }
  if (auto added = add_registry(out, parts_.registry, state); !added) return std::unexpected(added.error());
  return out;
}

Result<BackupStart> GatewayController::begin_backup(const Who& who) {
  backup_.forget();
  const auto files = collect_backup();
  if (!files) return std::unexpected(files.error());
  auto tar = backup::write_tar(*files, now());
  if (!tar) return std::unexpected(tar.error());
  backup_.content = std::move(*tar);
  ++backup_.id;
  tell("a backup with all secrets of the gateway was made by " + who);
  return BackupStart{backup_.id, backup_.content.size()};
}

Result<std::string> GatewayController::read_backup(uint64_t id, uint64_t offset) {
  if (id != backup_.id || offset >= backup_.content.size()) {
    return failure(ENOENT, "read backup", std::to_string(id), "it is gone; begin another");
  }
  std::string piece = backup_.content.substr(offset, kPiece);
  if (offset + piece.size() == backup_.content.size()) backup_.forget();
  return piece;
}

}  // namespace gw::control
