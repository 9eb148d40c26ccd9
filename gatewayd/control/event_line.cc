// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fmt/core.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "bpf/abi.h"
#include "bpf/reasons.h"
#include "gatewayd/control/gateway.h"

/// Records of the programs' ring buffer as lines for the log.
namespace gw::control {
namespace {

IpAddress address_of(const gw_addr& address) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), address.b, bytes.size());
  return IpAddress::from_mapped(bytes);
}

std::string end_of(const IpAddress& address, uint16_t port) { return config::Endpoint{address.str(), port}.str(); }

std::string flow_of(const gw_tuple& tuple) {
  const IpAddress source = address_of(tuple.src);
  const IpAddress destination = address_of(tuple.dst);
  const uint16_t key = ntohs(tuple.dport);
  switch (tuple.proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
      return fmt::format("{} {} -> {}", tuple.proto == IPPROTO_TCP ? "tcp" : "udp", end_of(source, ntohs(tuple.sport)),
                         end_of(destination, key));
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return fmt::format("icmp/{}/{} {} -> {}", key >> 8U, key & 0xffU, source.str(), destination.str());
    default:
      return fmt::format("proto/{} {} -> {}", tuple.proto, source.str(), destination.str());
  }
}

std::string device_of(uint32_t ifindex) {
  char name[IF_NAMESIZE] = {};
  return if_indextoname(ifindex, name) != nullptr ? name : "interface " + std::to_string(ifindex);
}

const char* done_word(uint8_t action) {
  if (action == GW_ACTION_ALLOW) return "allowed";
  return action == GW_ACTION_REJECT ? "rejected" : "denied";
}

}  // namespace

std::optional<std::string> GatewayController::event_line(const gw_event& event) const {
  const auto rule = parts_.reconciler.rule_name(event.rule);
  const plan::Intent* intent = parts_.reconciler.intent();
  if (!rule || intent == nullptr) return std::nullopt;
  const auto& rules = intent->config.rules;
  const auto found = std::ranges::find(rules, *rule, &config::Rule::name);
  if (found == rules.end() || !found->log) return std::nullopt;
  const auto client = intent->clients.find(event.client);
  return fmt::format("{} by rule {}: {} on {}, {} bytes{}", done_word(event.action), *rule, flow_of(event.tuple),
                     device_of(event.ifindex), event.length,
                     client == intent->clients.end() ? "" : ", client " + client->second.name);
}

}  // namespace gw::control
