// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/model_standard.h"

#include <netinet/in.h>

#include <set>

namespace gw::test::model {
namespace {

enum class Who : uint8_t { alice, bob, gateway, nobody, web, data, uplink_net, never, internet };
constexpr uint32_t kNowhere = ~0U;

bool is_any_of(const IpAddress& address, std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    if (address == IpAddress::parse(text).value()) return true;
  }
  return false;
}

bool within(const IpAddress& address, std::initializer_list<const char*> blocks) {
  for (const char* block : blocks) {
    if (Prefix::parse(block).value().contains(address)) return true;
  }
  return false;
}

Who who(const IpAddress& address) {
  if (is_any_of(address, {kAliceV4, kAliceV6})) return Who::alice;
  if (is_any_of(address, {kBobV4})) return Who::bob;
  if (is_any_of(address, {kGatewayV4, "172.16.201.1", "203.0.113.1", "fd6d:706e:6c61::1"})) return Who::gateway;
  if (within(address, {"172.16.201.0/24", "fd6d:706e:6c61::/64"})) return Who::nobody;
  if (within(address, {"10.1.1.0/24", "fd10:1:1::/64"})) return Who::web;
  if (within(address, {"10.1.2.0/24"})) return Who::data;
  if (within(address, {"203.0.113.0/28"})) return Who::uplink_net;
  return within(address, {"169.254.0.0/16"}) ? Who::never : Who::internet;
}

uint32_t link_of(Who who) {
  switch (who) {
    case Who::alice:
    case Who::bob:
    case Who::nobody:
      return kVpnLink;
    case Who::gateway:
      return kNowhere;
    case Who::web:
      return kWebLink;
    case Who::data:
      return kDataLink;
    case Who::uplink_net:
      return kUplinkLink;
    case Who::never:
    case Who::internet:
      return 0;
  }
  return 0;
}

struct Rule {
  uint32_t action;
  gw_reason reason;
};
constexpr Rule kAllow{GW_ACTION_ALLOW, GW_REASON_NONE}, kDenyIt{GW_ACTION_DENY, GW_REASON_RULE},
    kRejectIt{GW_ACTION_REJECT, GW_REASON_REJECTED}, kByDefault{GW_ACTION_DENY, GW_REASON_DEFAULT};

Rule alice_may(Who to, const Tuple& t, bool ssh) {
  const bool tcp = t.protocol == IPPROTO_TCP;
  if (to == Who::web) {
    if (tcp && (t.dport == 443 || (t.dport == 22 && ssh))) return kAllow;
    return t.icmp() || t.protocol == 47 || (t.protocol == IPPROTO_UDP && t.dport == 53) ? kAllow : kByDefault;
  }
  if (to == Who::data) return kDenyIt;
  if (to == Who::internet) return kAllow;
  if (to == Who::gateway && t.icmp() && (t.dport == 8U << 8U || t.dport == 128U << 8U)) return kAllow;
  return kByDefault;
}

Rule rule_for(Who from, Who to, const Tuple& t, bool ssh) {
  const auto tcp = [&](uint16_t port) { return t.protocol == IPPROTO_TCP && t.dport == port; };
  if (from == Who::alice) return alice_may(to, t, ssh);
  if (from == Who::bob && to == Who::web && tcp(22)) return kRejectIt;
  if (from == Who::bob && to == Who::gateway && tcp(22)) return kDenyIt;
  if (from == Who::bob && to == Who::gateway && tcp(80)) return kRejectIt;
  if (from == Who::web && to == Who::data && tcp(5432)) return kAllow;
  return from == Who::uplink_net && to == Who::web && tcp(443) ? kAllow : kByDefault;
}

Decision decide(const Tuple& tuple, bool ssh) {
  const Who from = who(tuple.source);
  const Who to = who(tuple.destination);
  Decision out;
  out.source_link = link_of(from);
  out.destination_link = link_of(to);
  out.to_gateway = to == Who::gateway;
  for (const Who one : {from, to}) {
    if (one != Who::nobody && one != Who::never) continue;
    out.reason = one == Who::nobody ? GW_REASON_UNASSIGNED : GW_REASON_NEVER_FORWARDED;
    return out;
  }
  const Rule rule = rule_for(from, to, tuple, ssh);
  out.action = rule.action;
  out.reason = rule.reason;
  out.nat = rule.action == GW_ACTION_ALLOW && from == Who::alice && to == Who::internet;
  return out;
}

}  // namespace

Policy standard_policy(bool ssh) {
  const auto is_host = [](const IpAddress& address) {
    const Who found = who(address);
    return found == Who::alice || found == Who::bob || found == Who::gateway;
  };
  return {[ssh](const Tuple& tuple) { return decide(tuple, ssh); }, is_host};
}

Gateway standard_gateway() {
  const std::map<Device, Link> links = {{Device::vpn, {kVpnLink, false}},
                                        {Device::web, {kWebLink, false}},
                                        {Device::data, {kDataLink, false}},
                                        {Device::uplink, {kUplinkLink, true}}};
  const auto vlan = [](Device device, uint16_t vid) { return device == Device::web && (vid == 20 || vid == 30); };
  return {standard_policy(), links, vlan};
}

}  // namespace gw::test::model
