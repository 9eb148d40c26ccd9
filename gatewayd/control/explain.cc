// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bpf/reasons.h"
#include "gatewayd/config/edit.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/party.h"
#include "gatewayd/policy/reference.h"

/// Why a packet passes or not: the rule by the reference evaluator, and the loaded program asked the same.
namespace gw::control {
namespace {

constexpr const char* kExplain = "explain";
constexpr const char* kNoRule = "no rule allows it";
constexpr uint16_t kSomePort = 40000;
constexpr uint16_t kEchoV4 = 8U << 8U;
constexpr uint16_t kEchoV6 = 128U << 8U;

const char* word(uint32_t action) {
  if (action == GW_ACTION_ALLOW) return "allow";
  return action == GW_ACTION_REJECT ? "reject" : "deny";
}

// The addresses of the two sides that can speak to each other.
Result<std::pair<IpAddress, IpAddress>> common_family(const Party& from, const Party& to) {
  for (const IpAddress& source : from.addresses) {
    for (const IpAddress& destination : to.addresses) {
      if (source.family == destination.family) return std::pair(source, destination);
    }
  }
  return failure(EINVAL, kExplain, from.said + " to " + to.said, "they have no address of the same family");
}

Result<config::Service> one_service(const std::string& text, const config::Config& config, Family family) {
  const auto services = config::parse_service(text, config.services);
  if (!services) return std::unexpected(services.error());
  config::Service service = services->front();
  if (service.kind == config::Service::Kind::any) {
    return failure(EINVAL, kExplain, text, "name one service, such as tcp/443, udp/53 or icmp");
  }
  const bool whole = service.first == 0 && service.last == UINT16_MAX;
  if (service.kind == config::Service::Kind::icmp && whole) service.first = family == Family::v4 ? kEchoV4 : kEchoV6;
  service.last = service.first;
  return service;
}

uint8_t protocol_number(const config::Service& service, Family family) {
  switch (service.kind) {
    case config::Service::Kind::tcp:
      return IPPROTO_TCP;
    case config::Service::Kind::udp:
      return IPPROTO_UDP;
    case config::Service::Kind::icmp:
      return static_cast<uint8_t>(family == Family::v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
    default:
      return static_cast<uint8_t>(service.first);
  }
}

gw_tuple tuple_of(const policy::Packet& packet, const config::Service& service) {
  gw_tuple out{};
  std::memcpy(out.src.b, packet.source.mapped().data(), sizeof out.src.b);
  std::memcpy(out.dst.b, packet.destination.mapped().data(), sizeof out.dst.b);
  out.proto = protocol_number(service, packet.source.family);
  if (service.kind == config::Service::Kind::protocol) return out;
  out.sport = htons(kSomePort);
  out.dport = htons(packet.key);
  return out;
}

std::vector<policy::HostFacts> host_facts(const World& world) {
  std::vector<policy::HostFacts> out;
  out.reserve(world.intent.gateway_addresses.size() + 2 * world.intent.clients.size());
  for (const IpAddress& address : world.intent.gateway_addresses) out.push_back({address, {}, {}});
  for (const Prefix& pool : world.intent.config.vpn.subnets) out.push_back({*pool.nth(1), {}, {}});
  for (const auto& [name, subnet] : world.intent.config.subnets) {
    for (const IpAddress& address : subnet.address) out.push_back({address, {}, {}});
  }
  for (const auto& [number, client] : world.intent.clients) {
    for (const IpAddress& address : client.addresses) {
      out.push_back(plan::client_facts(client, address, world.intent.config));
    }
  }
  return out;
}

const config::Rule* find_rule(const config::Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.rules, name, &config::Rule::name);
  return found == config.rules.end() ? nullptr : &*found;
}

std::string reason_for(const policy::Verdict& verdict, const Party& to) {
  if (verdict.rule.empty()) {
    return to.gateway ? "no rule allows it; the gateway's own firewall decides (gateway.public.allow)" : kNoRule;
  }
  const std::string said = verdict.action == config::Action::allow  ? "allows it"
                           : verdict.action == config::Action::deny ? "denies it"
                                                                    : "rejects it";
  return "the first rule that matches, " + verdict.rule + ", " + said;
}

}  // namespace

// Asks the loaded program the same, and says so where it answers otherwise. Where no rule decided, its reason is the
// better one.
void GatewayController::ask_kernel(const policy::Packet& packet, const config::Service& service,
                                   const std::string& device, Explanation& out) {
  const auto answer = parts_.kernel.explain(tuple_of(packet, service), device);
  if (!answer) {
    out.kernel_agrees = false;
    out.reason += "; the loaded program could not be asked: " + answer.error().message();
    return;
  }
  const std::string rule = parts_.reconciler.rule_name(answer->rule).value_or("");
  const std::string reason(answer->reason < bpf::kReasonTexts.size() ? bpf::kReasonTexts[answer->reason] : "?");
  out.kernel_agrees = word(answer->action) == out.action && rule == out.rule;
  if (!out.kernel_agrees) {
    out.reason += fmt::format("; the loaded program says {} ({}{}{}) instead: see gwctl status", word(answer->action),
                              reason, rule.empty() ? "" : ", rule ", rule);
  } else if (out.reason == kNoRule && answer->reason != GW_REASON_NONE) {
    out.reason = reason;
  }
}

Result<Explanation> GatewayController::explain(const std::string& from, const std::string& to,
                                               const std::string& service) {
  if (auto in_force = applied_or_error(kExplain, from + " to " + to); !in_force) {
    return std::unexpected(in_force.error());
  }
  const auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  const World world{*parts_.reconciler.intent(), *clients, now()};
  const auto source = find_party(from, world);
  if (!source) return std::unexpected(source.error());
  const auto destination = find_party(to, world);
  if (!destination) return std::unexpected(destination.error());
  if (source->gateway) {
    return failure(EINVAL, kExplain, from, "what the gateway sends itself is not judged; name another source");
  }
  const auto pair = common_family(*source, *destination);
  if (!pair) return std::unexpected(pair.error());
  const auto wanted = one_service(service, world.intent.config, pair->first.family);
  if (!wanted) return std::unexpected(wanted.error());
  const policy::Packet packet{pair->first, pair->second, wanted->kind, wanted->first};
  return judge(world, packet, *wanted, *source, *destination);
}

Explanation GatewayController::judge(const World& world, const policy::Packet& packet, const config::Service& service,
                                     const Party& source, const Party& destination) {
  const policy::Verdict verdict = policy::evaluate(world.intent.config, host_facts(world), packet);
  Explanation out;
  out.source = fmt::format("{} ({})", source.said, packet.source.str());
  out.destination = fmt::format("{} ({})", destination.said, packet.destination.str());
  out.service = service.str();
  out.action = word(static_cast<uint32_t>(verdict.action));
  out.rule = verdict.rule;
  out.nat = verdict.nat;
  out.reason = reason_for(verdict, destination);
  for (const std::string& ended : {destination.without_access, source.without_access}) {
    if (ended.empty()) continue;
    out.action = "deny";
    out.rule.clear();
    out.nat = false;
    out.reason = ended + ": nothing from it or to it passes";
  }
  if (const config::Rule* rule = find_rule(world.intent.config, out.rule); rule != nullptr && !rule->built_in) {
    out.written_at = rule->origin.str();
  }
  ask_kernel(packet, service, arrival_device(packet.source, world), out);
  return out;
}

}  // namespace gw::control
