// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>

#include "bpf/reasons.h"
#include "gatewayd/config/names.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/plan/plan.h"

/// What there is to see.
namespace gw::control {
namespace {

constexpr UnixSeconds kOnline = 180;  // WireGuard gives a session up after this long (REJECT_AFTER_TIME)
constexpr uint64_t kNsPerSecond = 1'000'000'000;

using Peers = std::map<PublicKey, apply::PeerState>;

bool is_online(const apply::PeerState& peer, UnixSeconds now) {
  return peer.last_handshake != 0 && now - peer.last_handshake < kOnline;
}

// The roles of each device, in the order public, vpn, subnets.
std::vector<std::pair<std::string, std::string>> device_roles(const config::Config& config) {
  std::vector<std::pair<std::string, std::string>> out = {{config.public_side.interface, "public"},
                                                          {config.vpn.interface, "vpn"}};
  for (const auto& [name, subnet] : config.subnets) {
    const std::string device = subnet.device();
    const auto found = std::ranges::find(out, device, &std::pair<std::string, std::string>::first);
    if (found == out.end()) {
      out.emplace_back(device, "subnet " + name);
    } else {
      found->second += ", subnet " + name;
    }
  }
  return out;
}

// Where the fast path is, and why not elsewhere.
std::string say(const plan::FastPath& fast) {
  std::string out = fast.devices.empty() ? "off" : fmt::format("{}", fmt::join(fast.devices, ", "));
  if (!fast.why_not.empty()) out += " (" + fast.why_not + ")";
  return out;
}

std::vector<std::string> programs_on(const std::string& device, const plan::Intent& intent,
                                     const std::vector<std::string>& leftover) {
  const config::Config& config = intent.config;
  std::vector<std::pair<plan::Hook, std::string>> wanted;
  if (device == config.vpn.interface) {
    wanted = {{plan::Hook::vpn_ingress, "policy ingress"}, {plan::Hook::vpn_egress, "policy egress"}};
  } else if (std::ranges::any_of(config.subnets, [&](const auto& entry) { return entry.second.device() == device; })) {
    wanted = {{plan::Hook::subnet_ingress, "policy ingress"}};
  }
  if (device == config.public_side.interface) {
    const plan::GuardPlace guard = plan::guard_place(intent);
    wanted.insert(wanted.begin(),
                  {guard.hook, guard.why_not.empty() ? "guard XDP" : "guard TC (" + guard.why_not + ")"});
  }
  std::vector<std::string> out;
  for (const auto& [hook, word] : wanted) {
    const std::string missing = plan::describe(plan::Attach{{device, hook}});
    if (std::ranges::find(leftover, missing) == leftover.end()) out.emplace_back(word);
  }
  if (plan::fast_path(intent).devices.contains(device)) out.emplace_back("fast path");
  return out;
}

std::vector<InterfaceStatus> interfaces_of(const plan::Intent& intent, const apply::Facts& facts,
                                           const std::vector<std::string>& leftover) {
  std::vector<InterfaceStatus> out;
  for (const auto& [device, role] : device_roles(intent.config)) {
    const auto state = facts.state.find(device);
    InterfaceStatus status{.name = device,
                           .role = role,
                           .state = state == facts.state.end() ? "missing" : state->second,
                           .addresses = {},
                           .programs = {}};
    if (state != facts.state.end()) status.programs = programs_on(device, intent, leftover);
    if (const auto found = facts.device_addresses.find(device); found != facts.device_addresses.end()) {
      for (const IpAddress& address : found->second) status.addresses.push_back(address.str());
    }
    out.push_back(std::move(status));
  }
  return out;
}

std::vector<std::string> missing_groups(const registry::Client& client, const config::Config* config) {
  std::vector<std::string> out;
  for (const std::string& group : client.groups) {
    if (config == nullptr || !config->groups.contains(group)) out.push_back(group);
  }
  return out;
}

ClientStatus status_of(const registry::Client& client, const config::Config* config, const Peers& peers,
                       const apply::Counter& counter, UnixSeconds now) {
  ClientStatus out;
  out.client = client;
  out.missing_groups = missing_groups(client, config);
  if (config != nullptr && client.has_access(now) && !config::why_taken(*config, client.name))
    out.dns_name = names::full_name(*config, client.name);
  out.packets = counter.packets;
  out.bytes = counter.bytes;
  out.denied = counter.denied;
  out.flows = counter.flows;
  if (counter.idle_ns != UINT64_MAX) out.idle_seconds = counter.idle_ns / kNsPerSecond;
  const auto peer = peers.find(client.wireguard);
  if (peer == peers.end()) return out;
  out.online = is_online(peer->second, now);
  out.last_handshake = peer->second.last_handshake;
  out.endpoint = peer->second.endpoint;
  out.rx_bytes = peer->second.rx_bytes;
  out.tx_bytes = peer->second.tx_bytes;
  return out;
}

// An `interconnect: true` as the rule that it is.
config::Rule interconnect_rule(const std::string& name, const config::Group& group) {
  config::Rule rule;
  rule.name = policy::interconnect_rule_name(name);
  rule.action = config::Action::allow;
  rule.from = rule.to = {{config::Selector::Kind::group, name, {}}};
  rule.services = {config::Service{}};
  rule.service_names = {"any"};
  rule.built_in = true;
  rule.origin = group.origin;
  return rule;
}

}  // namespace

Result<Summary> GatewayController::summary() {
  Summary out;
  out.version = options_.version;
  if (const config::Config* config = applied()) out.gateway = config->name;
  const auto stored = parts_.intents.applied();
  if (stored) out.applied_sequence = stored->sequence;
  const auto files = config::read_files(options_.config_directory);
  out.files_differ = files ? !stored || stored->files != *files : stored.has_value();
  out.policy_generation = parts_.kernel.generation().value_or(0);
  return out;
}

void GatewayController::add_kernel_facts(Status& out) {
  out.fast_path = say(plan::fast_path(*parts_.reconciler.intent()));
  const config::Config& config = *applied();
  const apply::Report& last = parts_.reconciler.last();
  const auto facts = parts_.kernel.facts();
  if (facts) {
    out.interfaces = interfaces_of(*parts_.reconciler.intent(), *facts, last.leftover);
  } else {
    out.warnings.push_back(facts.error().message());
  }
  if (const auto peers = parts_.kernel.peers(config.vpn.interface)) {
    const UnixSeconds at = parts_.clock.now();
    out.peers = static_cast<uint32_t>(peers->size());
    out.peers_online =
        static_cast<uint32_t>(std::ranges::count_if(*peers, [&](const auto& p) { return is_online(p.second, at); }));
  }
  if (const auto drops = parts_.kernel.drop_counters()) {
    for (size_t i = 1; i < drops->size() && i < bpf::kReasonTexts.size(); ++i) {
      if ((*drops)[i] != 0) out.drops[std::string(bpf::kReasonTexts[i])] = (*drops)[i];
    }
  }
}

void GatewayController::add_warnings(Status& out) {
  if (out.wireguard.find("wireguard-go") != std::string::npos) {
    out.warnings.emplace_back(
        "WireGuard runs in user space (wireguard-go): not for production; use a kernel that has it");
  }
  if (const std::string warning = time_.warning(); !warning.empty()) out.warnings.push_back(warning);
  for (std::string& warning : sentences(endings(now()), now())) out.warnings.push_back(std::move(warning));
  add_trust_warnings(out);
  add_name_warnings(out);
  for (const config::Diagnostic& warning : warnings_) out.warnings.push_back(warning.str());
  for (const std::string& warning : parts_.intents.warnings()) out.warnings.push_back(warning);
  const auto clients = parts_.registry.clients();
  if (!clients) return out.warnings.push_back(clients.error().message());
  out.clients = static_cast<uint32_t>(clients->size());
  for (const registry::Client& client : *clients) {
    const auto missing = missing_groups(client, applied());
    if (applied() == nullptr || missing.empty()) continue;
    out.warnings.push_back(fmt::format("client {} is in {}, which the configuration does not have: it grants nothing",
                                       client.name, enumerate(missing)));
  }
}

Result<Status> GatewayController::status() {
  const auto brief = summary();
  if (!brief) return std::unexpected(brief.error());
  Status out;
  out.gateway = brief->gateway;
  out.version = brief->version;
  out.policy_generation = brief->policy_generation;
  out.files_differ = brief->files_differ;
  out.wireguard = parts_.kernel.wireguard_implementation();
  out.public_key = options_.public_key.str();
  if (const auto stored = parts_.intents.applied()) {
    out.applied_sequence = stored->sequence;
    out.applied_at = stored->at;
    out.confirmed = stored->state == apply::StoredIntent::State::confirmed;
    out.confirm_deadline = out.confirmed ? 0 : stored->deadline;
  }
  const apply::Report& last = parts_.reconciler.last();
  out.drift = last.leftover;
  out.repairs = parts_.reconciler.repairs();
  if (!last.errors.empty()) out.last_error = last.errors.front().message();
  if (start_error_) out.last_error = start_error_->message();
  out.ill = last.ill;
  if (start_error_ && out.applied_sequence != 0) out.ill.push_back(start_error_->message());
  if (const config::Config* config = applied()) {
    out.endpoint = endpoint(*config).value_or("");
    out.listen_port = config->public_side.listen_port;
    out.rules = static_cast<uint32_t>(config->rules.size());
    if (auto pools = parts_.registry.pool_use(config->vpn.subnets)) out.pools = std::move(*pools);
    add_kernel_facts(out);
  }
  add_warnings(out);
  return out;
}

Result<std::vector<RuleStatus>> GatewayController::rules() {
  const config::Config shown = config();
  const config::Config* in_force = applied();
  std::vector<config::Rule> all = shown.rules;
  for (const auto& [name, group] : shown.groups) {
    if (group.interconnect) all.push_back(interconnect_rule(name, group));
  }
  std::vector<RuleStatus> out;
  for (config::Rule& rule : all) {
    RuleStatus status;
    status.rule = std::move(rule);
    // A rule that is written but not applied has counted nothing, and gets no number yet.
    const auto counter = in_force == nullptr ? std::optional<apply::Counter>() : rule_counter(status.rule.name);
    if (counter) {
      status.hits = counter->flows;
      status.packets = counter->packets;
      status.bytes = counter->bytes;
      if (counter->idle_ns != UINT64_MAX) status.idle_seconds = counter->idle_ns / kNsPerSecond;
    }
    out.push_back(std::move(status));
  }
  return out;
}

std::optional<apply::Counter> GatewayController::rule_counter(const std::string& name) {
  const config::Config& config = *applied();
  const bool known = std::ranges::any_of(config.rules, [&](const auto& rule) { return rule.name == name; }) ||
                     std::ranges::any_of(config.groups, [&](const auto& entry) {
                       return entry.second.interconnect && policy::interconnect_rule_name(entry.first) == name;
                     });
  if (!known) return std::nullopt;
  const auto counter = parts_.kernel.rule_counter(parts_.reconciler.rule_id(name));
  return counter ? std::optional(*counter) : std::nullopt;
}

Result<std::vector<ClientStatus>> GatewayController::clients() {
  const auto all = parts_.registry.clients();
  if (!all) return std::unexpected(all.error());
  const config::Config* config = applied();
  const Peers peers = config == nullptr ? Peers() : parts_.kernel.peers(config->vpn.interface).value_or(Peers());
  std::vector<ClientStatus> out;
  out.reserve(all->size());
  for (const registry::Client& client : *all) {
    const auto counter = parts_.kernel.client_counter(client.number).value_or(apply::Counter{});
    out.push_back(status_of(client, config, peers, counter, parts_.clock.now()));
  }
  return out;
}

Result<std::vector<SiteStatus>> GatewayController::sites() {
  std::vector<SiteStatus> out;
  const config::Config* config = applied();
  if (config == nullptr) return out;
  const Peers peers = parts_.kernel.peers(config->vpn.interface).value_or(Peers());
  for (const auto& [name, site] : config->sites) {
    SiteStatus status;
    status.name = name;
    status.site = site;
    if (const auto peer = peers.find(site.public_key); peer != peers.end()) {
      status.online = is_online(peer->second, parts_.clock.now());
      status.last_handshake = peer->second.last_handshake;
      status.endpoint = peer->second.endpoint;
      status.rx_bytes = peer->second.rx_bytes;
      status.tx_bytes = peer->second.tx_bytes;
    }
    out.push_back(std::move(status));
  }
  return out;
}

Result<ClientStatus> GatewayController::client(const std::string& name) {
  const auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  const config::Config* config = applied();
  const Peers peers = config == nullptr ? Peers() : parts_.kernel.peers(config->vpn.interface).value_or(Peers());
  const auto counter = parts_.kernel.client_counter(client->number).value_or(apply::Counter{});
  return status_of(*client, config, peers, counter, parts_.clock.now());
}

}  // namespace gw::control
