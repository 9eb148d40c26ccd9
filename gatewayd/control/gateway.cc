// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/gateway.h"

#include <fmt/core.h>

#include <cerrno>
#include <filesystem>

#include "gatewayd/control/checks.h"
#include "gatewayd/control/kernel_client.h"
#include "gatewayd/control/message_id.h"

namespace gw::control {

using State = apply::StoredIntent::State;

GatewayController::GatewayController(const Parts& parts, Options options, Listener listener)
    : parts_(parts),
      options_(std::move(options)),
      listener_(std::move(listener)),
      time_(parts.registry, options_.run_directory,
            {parts.clock, options_.running, options_.clock_is_synchronised, options_.trust_clock}),
      names_(options_.run_directory) {}

UnixSeconds GatewayController::now() {
  const UnixSeconds at = time_.now();
  if (const std::string complaint = time_.take_complaint(); !complaint.empty()) tell(complaint, message_id::kClock);
  return at;
}

// The programs judge by the time that is believed.
void GatewayController::sync_clock() {
  if (auto synced = parts_.kernel.sync_clock(time_.ahead()); !synced) tell(synced.error().message());
}

const config::Config* GatewayController::applied() const {
  const plan::Intent* intent = parts_.reconciler.intent();
  return intent == nullptr ? nullptr : &intent->config;
}

Result<const config::Config*> GatewayController::applied_or_error(const char* operation,
                                                                  const std::string& object) const {
  if (const config::Config* config = applied()) return config;
  return failure(
      EINVAL, operation, object,
      "no configuration is in force: write " + options_.config_directory + "/gateway.yaml, then run gwctl apply");
}

Result<plan::Intent> GatewayController::make_intent(const config::Config& config) {
  auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  plan::Intent intent;
  intent.config = config;
  intent.public_key = options_.public_key;
  if (const plan::Intent* current = parts_.reconciler.intent()) intent.resolved = current->resolved;
  const UnixSeconds at = now();
  intent.blocks = blocks_in_force(at);
  for (const registry::Client& client : *clients) {
    if (client.has_access(at)) intent.clients.emplace(client.number, kernel_client(client));
  }
  return intent;
}

// Makes `files`, which are stored already, the intent of the reconciler.
Result<void> GatewayController::use(const config::Files& files) {
  config::Loaded loaded = config::load(files);
  if (!loaded.ok()) {
    return failure(EINVAL, "load the configuration", {}, "it has errors:" + error_lines(loaded.diagnostics));
  }
  auto intent = make_intent(loaded.config);
  if (!intent) return std::unexpected(intent.error());
  ends_.clear();
  for (const auto& [number, client] : intent->clients) ends_.emplace(access_ends_at(client), number);
  parts_.reconciler.set_intent(std::move(*intent));
  warnings_ = std::move(loaded.diagnostics);
  start_error_.reset();
  remember_profile_facts();
  return {};
}

Result<void> GatewayController::start() {
  sync_clock();
  const auto stored = parts_.intents.applied();
  if (stored && stored->state == State::pending) {
    // Nobody confirmed it before the daemon went: a crash or a reboot is no confirmation. The very first has nothing to
    // go back to.
    if (parts_.intents.rollback_target()) {
      if (auto back = parts_.intents.roll_back(); !back) return std::unexpected(back.error());
      tell(fmt::format("apply {} was not confirmed before the restart: back to the one before", stored->sequence),
           message_id::kWentBack);
    } else if (auto confirmed = parts_.intents.confirm(); !confirmed) {
      return std::unexpected(confirmed.error());
    }
  }
  Result<void> used;
  if (const auto confirmed = parts_.intents.confirmed()) {
    used = use(confirmed->files);
  } else {
    used = first_start();
  }
  if (!used) {
    start_error_ = used.error();
    tell(used.error().message(), message_id::kUnconfigured);
    return {};
  }
  return prepare_authority();
}

// Nothing was ever applied: the files are, when they can be.
Result<void> GatewayController::first_start() {
  auto files = config::read_files(options_.config_directory);
  if (!files) {
    if (files.error().code == ENOENT)
      files.error().detail =
          "nothing is configured yet: write it, then run gwctl apply; until then nothing is filtered";
    return std::unexpected(files.error());
  }
  const config::Loaded loaded = config::load(*files);
  if (!loaded.ok()) {
    return failure(EINVAL, "load the configuration", {}, "it has errors:" + error_lines(loaded.diagnostics));
  }
  const auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  if (auto fits = check_clients(nullptr, loaded.config, *clients); !fits) return fits;
  if (auto begun = parts_.intents.begin(*files, "first start", now(), 0); !begun) return std::unexpected(begun.error());
  if (auto confirmed = parts_.intents.confirm(); !confirmed) return std::unexpected(confirmed.error());
  return use(*files);
}

apply::Report GatewayController::converge() {
  now();  // so that what has been is noted now and then
  apply::Report report = parts_.reconciler.converge();
  if (listener_.converged) listener_.converged(report);
  if (!report.done.empty()) announce();
  return report;
}

void GatewayController::adjusted(const apply::Report& report) {
  if (listener_.adjusted) listener_.adjusted(report);
}

void GatewayController::tell(const std::string& line, const char* message) const {
  if (listener_.happened) listener_.happened(line, message);
}

void GatewayController::announce() const {
  if (changed_) changed_();
}

std::optional<UnixSeconds> GatewayController::next_tick() {
  std::optional<UnixSeconds> next;
  if (!ends_.empty()) next = ends_.begin()->first;
  if (const auto end = next_block_end()) next = std::min(next.value_or(*end), *end);
  const auto stored = parts_.intents.applied();
  if (stored && stored->state == State::pending && stored->deadline != 0) {
    next = std::min(next.value_or(stored->deadline), stored->deadline);
  }
  if (next) *next -= time_.ahead();
  return next;
}

void GatewayController::tick() {
  const UnixSeconds at = now();
  end_access(at);
  end_blocks(at);
  const auto stored = parts_.intents.applied();
  if (!stored || stored->state != State::pending || stored->deadline == 0 || at < stored->deadline) return;
  tell(fmt::format("apply {} was not confirmed in time: going back", stored->sequence), message_id::kWentBack);
  if (const auto back = go_back(); !back) tell(back.error().message());
}

void GatewayController::end_access(UnixSeconds at) {
  while (!ends_.empty() && ends_.begin()->first <= at) {
    const uint32_t number = ends_.begin()->second;
    ends_.erase(ends_.begin());
    const plan::Intent* intent = parts_.reconciler.intent();
    const auto found = intent->clients.find(number);
    if (found == intent->clients.end()) continue;
    time_.keep();
    tell(fmt::format("the certificate of client {} has ended, and its access with it", found->second.name),
         message_id::kAccessEnded);
    adjusted(parts_.reconciler.remove_client(number));
  }
}

// In the order of time. `ends_` is sorted by it: what is further away is not looked at.
std::vector<Ending> GatewayController::endings(UnixSeconds at) const {
  constexpr UnixSeconds kSoon = UnixSeconds{30} * 86400;
  std::vector<Ending> out;
  const auto add = [&](const std::string& what, UnixSeconds from, UnixSeconds to, const std::string& remedy) {
    const Ending ending{what, to + 1, to + 1 - from, remedy};
    if (urgency(ending.at - at, ending.life) != 0) out.push_back(ending);
  };
  if (authority_) {
    for (const auto& [what, certificate] : {std::pair("the gateway's issuing certificate", &authority_->issuing()),
                                            std::pair("the gateway's root certificate", &authority_->root())}) {
      add(what, certificate->not_before, certificate->not_after, "no certificate can outlast it");
    }
  }
  for (Ending& ending : trust_endings()) {
    if (urgency(ending.at - at, ending.life) != 0 && ending.at > at) out.push_back(std::move(ending));
  }
  const auto ends = parts_.registry.certificate_ends(at, at + kSoon);
  if (!ends) tell(ends.error().message());
  for (const registry::CertificateEnd& end : ends.value_or(std::vector<registry::CertificateEnd>())) {
    add("the certificate of client " + end.client, end.not_before, end.not_after, "gwctl client renew " + end.client);
  }
  return out;
}

void GatewayController::tell_endings() {
  const UnixSeconds at = now();
  for (const std::string& line : sentences(ending_watch_.news(endings(at), at), at)) tell(line, message_id::kEndsSoon);
}

std::vector<std::string> GatewayController::names_to_resolve() const {
  std::vector<std::string> out;
  const config::Config* config = applied();
  if (config == nullptr) return out;
  for (const auto& [name, site] : config->sites) {
    if (site.endpoint && !IpAddress::parse(site.endpoint->host)) out.push_back(site.endpoint->host);
  }
  return out;
}

void GatewayController::name_resolved(const std::string& name, const IpAddress& address) {
  const plan::Intent* current = parts_.reconciler.intent();
  if (current == nullptr) return;
  const auto known = current->resolved.find(name);
  if (known != current->resolved.end() && known->second == address) return;
  plan::Intent intent = *current;
  intent.resolved[name] = address;
  parts_.reconciler.set_intent(std::move(intent));
  tell(fmt::format("{} is {}", name, address.str()));
  converge();
}

// Before the reconciler hears of a change: what it holds tells the end that was noted.
void GatewayController::forget_end(uint32_t number) {
  const plan::Intent* intent = parts_.reconciler.intent();
  if (intent == nullptr) return;
  const auto known = intent->clients.find(number);
  if (known != intent->clients.end()) ends_.erase({access_ends_at(known->second), number});
}

void GatewayController::clock_was_set() {
  sync_clock();
  const config::Config* config = applied();
  if (config == nullptr) return;
  auto intent = make_intent(*config);
  if (!intent) return tell(intent.error().message());
  ends_.clear();
  for (const auto& [number, client] : intent->clients) ends_.emplace(access_ends_at(client), number);
  parts_.reconciler.set_intent(std::move(*intent));
  converge();
}

}  // namespace gw::control
