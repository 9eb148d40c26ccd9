// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "gatewayd/backup/switch.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/trust_map.h"
#include "gatewayd/control/wireguard_key.h"

/// A backup in place of the present state.
namespace gw::control {
namespace {

constexpr const char* kRestore = "restore";
constexpr size_t kMostBytes = size_t{1} << 30U;
constexpr int kFormat = 1;

std::unexpected<Error> no_backup(const std::string& what) {
  return failure(EINVAL, kRestore, "", "that is no backup of a gateway: " + what);
}

Result<RestoreResult> read_facts(const backup::Files& files) {
  const std::string* text = backup::find(files, "backup.json");
  if (text == nullptr) return no_backup("backup.json is missing");
  try {
    const auto facts = nlohmann::json::parse(*text);
    RestoreResult out;
    out.created = facts.at("created");
    out.gateway = facts.at("gateway");
    out.version = facts.at("version");
    if (const int format = facts.at("format"); format != kFormat) {
      return failure(ENOTSUP, kRestore, out.gateway,
                     fmt::format("gatewayd {} made it in format {}, and this one knows {}: install that version first",
                                 out.version, format, kFormat));
    }
    return out;
  } catch (const nlohmann::json::exception& damage) {
    return no_backup(std::string("backup.json: ") + damage.what());
  }
}

/// The files below `folder`, as configuration.
config::Files files_below(const backup::Files& files, const std::string& folder) {
  config::Files out;
  for (const backup::File& file : files) {
    if (file.name.starts_with(folder + "/")) out.push_back({file.name.substr(folder.size() + 1), file.content});
  }
  return out;
}

/// Nothing but what belongs into a backup, and all that has to be there.
Result<void> check_names(const backup::Files& files) {
  for (const backup::File& file : files) {
    const std::string_view name = file.name;
    const bool known = name == "backup.json" || name == "config/gateway.yaml" || name == "applied/gateway.yaml" ||
                       name.starts_with("config/gateway.d/") || name.starts_with("applied/gateway.d/") ||
                       name == "state/registry.db" || name == "state/wireguard.key" || name.starts_with("state/ca/");
    if (!known) return no_backup(file.name + " does not belong there");
  }
  for (const char* name : {"config/gateway.yaml", "applied/gateway.yaml", "state/registry.db", "state/wireguard.key"}) {
    if (backup::find(files, name) == nullptr) return no_backup(std::string(name) + " is missing");
  }
  return {};
}

Result<void> check_configuration(const backup::Files& files, RestoreResult& result) {
  const auto applied = config::load(files_below(files, "applied"));
  if (!applied.ok()) {
    return failure(EINVAL, kRestore, result.gateway,
                   "its configuration does not load here:" + error_lines(applied.diagnostics));
  }
  if (!config::load(files_below(files, "config")).ok()) {
    result.notes.emplace_back(
        "the configuration files were being edited when the backup was made and do not load; what was applied is in "
        "force");
  }
  return {};
}

/// What has become of the backup's trusts.
void add_trust_notes(const std::vector<registry::Trust>& before, const std::vector<registry::Trust>& after,
                     RestoreResult& result) {
  for (const registry::Trust& trust : before) {
    const auto kept = std::ranges::find(after, trust.name, &registry::Trust::name);
    if (kept == after.end()) {
      result.notes.push_back(fmt::format(
          "Trust {} was removed here after the backup was made, and stays so: gwctl ca trust add makes it anew.",
          trust.name));
    } else if (kept->maps.empty() && !trust.maps.empty()) {
      std::string maps;
      for (const registry::TrustMap& map : trust.maps) maps += (maps.empty() ? "" : "; ") + map_text(map);
      result.notes.push_back(fmt::format(
          "Trust {0} lets nobody enrol: a backup does not know whether it was removed after it was made. Its maps were "
          "{1}. If they are to hold again: gwctl ca trust add FILE --replace --name {0} --map …",
          trust.name, maps));
    } else if (kept->authorities_pem != trust.authorities_pem || kept->maps != trust.maps) {
      result.notes.push_back(
          fmt::format("Trust {} was changed here after the backup was made, and stays as it is.", trust.name));
    }
  }
}

}  // namespace

Result<uint64_t> GatewayController::begin_restore(const Who& who) {
  restore_.forget();
  tell("a restore was begun by " + who);
  return ++restore_.id;
}

Result<void> GatewayController::write_restore(uint64_t id, const std::string& piece) {
  if (id != restore_.id) return failure(ENOENT, kRestore, std::to_string(id), "another restore was begun");
  if (restore_.content.size() + piece.size() > kMostBytes) return failure(EFBIG, kRestore, "", "more than 1 GiB");
  restore_.content += piece;
  return {};
}

// What the time since the backup asks of its registry, and whether it is one.
Result<void> GatewayController::ready_registry(const backup::Files& files, const RestoreOptions& options,
                                               const Who& who, RestoreResult& result) {
  const std::string staged = backup::staging_directory(options_.state_directory) + "/state";
  auto registry = registry::Registry::open(staged + "/registry.db");
  if (!registry) return std::unexpected(registry.error());
  const auto before = registry->clients();
  if (!before) return std::unexpected(before.error());
  registry::Present present;
  present.disable_clients = !options.enable_clients;
  present.time_floor = now();
  const auto number = parts_.registry.next_crl_number();
  if (!number) return std::unexpected(number.error());
  present.crl_number = *number;
  if (const auto* root = backup::find(files, "state/ca/root.crt"); root != nullptr && authority_) {
    const auto same = pki::parse_certificate(*root);
    if (same && same->sha256 == authority_->root().sha256) {
      auto known = parts_.registry.certificates();
      if (!known) return std::unexpected(known.error());
      present.certificates = std::move(*known);
      auto trusts = parts_.registry.trusts();
      if (!trusts) return std::unexpected(trusts.error());
      present.trusts = std::move(*trusts);
    }
  }
  const auto trusts = registry->trusts();
  if (!trusts) return std::unexpected(trusts.error());
  if (auto done = registry->catch_up(present, who, now()); !done) return done;
  const auto kept = registry->trusts();
  if (!kept) return std::unexpected(kept.error());
  add_trust_notes(*trusts, *kept, result);
  result.clients = static_cast<uint32_t>(before->size());
  for (const registry::Client& client : *before) {
    if (present.disable_clients && !client.disabled) result.disabled.push_back(client.name);
  }
  return {};
}

Result<RestoreResult> GatewayController::make_ready(const backup::Files& files, const RestoreOptions& options,
                                                    const Who& who) {
  auto result = read_facts(files);
  if (!result) return result;
  if (auto good = check_names(files); !good) return std::unexpected(good.error());
  if (auto good = check_configuration(files, *result); !good) return std::unexpected(good.error());
  backup::Files staged;
  for (const backup::File& file : files) {
    // The authority is not gatewayd's to restore: whoever may hands it to the keys' holder.
    if (file.name.starts_with("state/ca/")) continue;
    if (file.name.starts_with("state/") || file.name.starts_with("config/")) staged.push_back(file);
  }
  const std::string& state = options_.state_directory;
  if (auto done = backup::stage(state, staged, std::to_string(now())); !done) return std::unexpected(done.error());
  const std::string directory = backup::staging_directory(state) + "/state";
  if (auto key = open_wireguard_keys(directory + "/wireguard.key"); !key) return std::unexpected(key.error());
  if (auto ready = ready_registry(files, options, who, *result); !ready) return std::unexpected(ready.error());
  auto intents = apply::IntentStore::open(directory + "/intents");
  if (!intents) return std::unexpected(intents.error());
  intents->skip_to(parts_.intents.last_sequence());
  if (auto begun = intents->begin(files_below(files, "applied"), "restore by " + who, now(), 0); !begun)
    return std::unexpected(begun.error());
  if (auto confirmed = intents->confirm(); !confirmed) return std::unexpected(confirmed.error());
  return result;
}

Result<RestoreResult> GatewayController::restore(uint64_t id, const RestoreOptions& options, const Who& who) {
  if (id != restore_.id) return failure(ENOENT, kRestore, std::to_string(id), "another restore was begun");
  const auto files = backup::read_tar(restore_.content);
  restore_.forget();
  if (!files) return std::unexpected(files.error());
  const auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  if (!clients->empty() && !options.replace) {
    return failure(EEXIST, kRestore, "",
                   fmt::format("this gateway has {} client{} of its own, which would be gone; nothing was changed "
                               "(--replace restores all the same)",
                               clients->size(), clients->size() == 1 ? "" : "s"));
  }
  auto result = make_ready(*files, options, who);
  if (result) {
    if (auto committed = backup::commit(options_.state_directory); !committed) {
      result = std::unexpected(committed.error());
    }
  }
  if (!result) {
    backup::drop_staged(options_.state_directory);
    return result;
  }
  tell(fmt::format("a backup of {} is restored by {}: starting anew with it", result->gateway, who));
  if (listener_.start_anew) listener_.start_anew();
  return result;
}

}  // namespace gw::control
