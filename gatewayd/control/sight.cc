// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/sight.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "bpf/reasons.h"
#include "gatewayd/control/party.h"

namespace gw::control {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;

// The members that a flow and a sighting have in common.
void put_tuple(const gw_tuple& tuple, auto& out) {
  out.source = address_of(tuple.src).str();
  out.destination = address_of(tuple.dst).str();
  const uint16_t key = ntohs(tuple.dport);
  switch (tuple.proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
      out.protocol = tuple.proto == IPPROTO_TCP ? "tcp" : "udp";
      out.source_port = ntohs(tuple.sport);
      out.destination_port = key;
      break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      out.protocol = "icmp";
      out.icmp = fmt::format("{}/{}", key >> 8U, key & 0xffU);
      break;
    default:
      out.protocol = fmt::format("proto/{}", tuple.proto);
  }
}

bool is_closing(const gw_flow& flow) {
  constexpr uint32_t kBoth = GW_FLOW_FIN_ORIG | GW_FLOW_FIN_REPLY;
  return (flow.flags & GW_FLOW_RESET) != 0 || (flow.flags & kBoth) == kBoth;
}

const char* state_of(const gw_flow& flow) {
  if (is_closing(flow)) return "closing";
  return (flow.flags & GW_FLOW_REPLIED) != 0 ? "established" : "opening";
}

const char* action_word(uint8_t action) {
  if (action == GW_ACTION_ALLOW) return "allow";
  return action == GW_ACTION_REJECT ? "reject" : "deny";
}

std::string device_of(uint32_t ifindex) {
  char name[IF_NAMESIZE] = {};
  return if_indextoname(ifindex, name) != nullptr ? name : "interface " + std::to_string(ifindex);
}

}  // namespace

IpAddress address_of(const gw_addr& address) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), address.b, bytes.size());
  return IpAddress::from_mapped(bytes);
}

std::string reason_word(uint8_t reason) {
  static constexpr std::array<std::string_view, GW_REASON_COUNT> kNames = {
#define GW_X(name, text) #name,
      GW_REASONS(GW_X)
#undef GW_X
  };
  std::string out(reason < kNames.size() ? kNames[reason] : "UNKNOWN");
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// As gw_flow_patience in bpf/flow.h.
bool is_live(const apply::Flow& flow, uint64_t wall_ns) {
  const gw_flow& entry = flow.entry;
  const bool both_ways = entry.orig.proto == IPPROTO_TCP && (entry.flags & GW_FLOW_REPLIED) != 0;
  uint64_t patience = both_ways ? GW_IDLE_ESTABLISHED : GW_IDLE_OTHER;
  if (is_closing(entry)) patience = GW_IDLE_CLOSING;
  return entry.orig.proto != 0 && flow.idle_ns <= patience && wall_ns < entry.valid_until_ns;
}

std::string Words::client_name(uint32_t number) const {
  const auto found = intent_.clients.find(number);
  return found == intent_.clients.end() ? "" : found->second.name;
}

std::string Words::client_at(const IpAddress& address) const {
  const auto in_pool = [&](const Prefix& pool) { return pool.contains(address); };
  if (std::ranges::none_of(intent_.config.vpn.subnets, in_pool)) return {};
  for (const auto& [number, client] : intent_.clients) {
    if (std::ranges::find(client.addresses, address) != client.addresses.end()) return client.name;
  }
  return {};
}

std::string Words::zone_of(const IpAddress& address) const {
  const auto& config = intent_.config;
  const auto has = [&](const Prefix& prefix) { return prefix.contains(address); };
  if (is_gateway(address, intent_)) return "gateway";
  if (std::ranges::any_of(config.vpn.subnets, has)) return "vpn";
  for (const auto& [name, subnet] : config.subnets) {
    if (std::ranges::any_of(subnet.prefixes, has)) return "subnet:" + name;
  }
  for (const auto& [name, site] : config.sites) {
    if (std::ranges::any_of(site.prefixes, has)) return "site:" + name;
  }
  return {};
}

FlowStatus Words::flow(const apply::Flow& flow, uint64_t generation) const {
  const gw_flow& entry = flow.entry;
  FlowStatus out;
  put_tuple(entry.orig, out);
  out.client = client_name(entry.client[0]);
  out.to_client = client_name(entry.client[1]);
  out.rule = rule_name_(entry.rule).value_or("");
  out.state = state_of(entry);
  out.idle_seconds = flow.idle_ns / kNsPerSecond;
  if (entry.valid_until_ns != UINT64_MAX) {
    out.access_ends = static_cast<UnixSeconds>(entry.valid_until_ns / kNsPerSecond);
  }
  out.nat = (entry.flags & GW_FLOW_NAT) != 0;
  out.current = entry.word >> 1U == generation;
  return out;
}

Sighting Words::sighting(const gw_event& event, int64_t wall_offset_ns) const {
  Sighting out;
  out.time_ms = (static_cast<int64_t>(event.time_ns) + wall_offset_ns) / kNsPerMs;
  out.action = action_word(event.action);
  out.reason = reason_word(event.reason);
  out.because = event.reason < bpf::kReasonTexts.size() ? bpf::kReasonTexts[event.reason] : "unknown reason";
  out.rule = rule_name_(event.rule).value_or("");
  const auto& rules = intent_.config.rules;
  const auto found = std::ranges::find(rules, out.rule, &config::Rule::name);
  out.logged = found != rules.end() && found->log;
  put_tuple(event.tuple, out);
  const IpAddress source = address_of(event.tuple.src);
  const IpAddress destination = address_of(event.tuple.dst);
  out.client = event.client != 0 ? client_name(event.client) : client_at(source);
  out.to_client = client_at(destination);
  out.interface = device_of(event.ifindex);
  out.from_zone = zone_of(source);
  out.to_zone = zone_of(destination);
  out.length = event.length;
  return out;
}

}  // namespace gw::control
