// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/plan.h"

#include <algorithm>

namespace gw::connect {
namespace {

constexpr uint32_t kDefaultMtu = 1420;
constexpr uint32_t kMainTable = 254;
constexpr uint32_t kRefusingMetric = 0xfffffff0;  // behind whatever goes somewhere
constexpr uint32_t kFirstPriority = 26480;        // before main (32766), behind what people put at round numbers
constexpr Family kFamilies[] = {Family::v4, Family::v6};

uint32_t table_of(const Network& network) { return kFirstTable + network.slot; }

bool is_default(const Prefix& prefix) { return prefix.length == 0; }

bool conflicts(const Prefix& a, const Prefix& b) { return is_default(a) == is_default(b) && a.overlaps(b); }

/// Whether the tunnel would swallow the packets that carry it.
bool goes_by_own_table(const Network& network) {
  const auto& profile = *network.profile;
  auto endpoint = IpAddress::parse(profile.endpoint.host);
  if (!endpoint) endpoint = network.endpoint;
  // A proxy may be anywhere, also where the tunnel leads.
  if (network.has_proxy()) return true;
  return std::ranges::any_of(profile.allowed_ips, [&](const Prefix& prefix) {
    return is_default(prefix) || (endpoint && prefix.contains(*endpoint));
  });
}

nl::Route route_to(const Prefix& prefix, uint32_t table) {
  nl::Route out;
  out.dst = prefix;
  out.table = table;
  out.protocol = kProtocol;
  return out;
}

void add_own_table(const Network& network, Wanted& wanted) {
  wanted.mark = mark_of(network);
  const uint32_t first = kFirstPriority + 2 * network.slot;
  for (const Family family : kFamilies) {
    // More than its default route is looked for in main: the local net, and other networks.
    nl::Rule rule{.family = family, .priority = first, .table = kMainTable, .protocol = kProtocol};
    rule.suppress_prefix_length = 0;
    wanted.rules.push_back(rule);
    wanted.rules.push_back({.family = family,
                            .priority = first + 1,
                            .mark = wanted.mark,
                            .invert = true,
                            .table = table_of(network),
                            .protocol = kProtocol});
    if (!network.fail_closed) continue;
    nl::Route refusing = route_to(Prefix::of({.family = family}, 0), table_of(network));
    refusing.unreachable = true;
    refusing.metric = kRefusingMetric;
    wanted.routes.push_back(refusing);
  }
}

/// Why a prefix cannot be routed into the tunnel; empty: it can.
std::string obstacle(const Network& network, const Prefix& prefix, const std::vector<const Network*>& before,
                     const std::vector<LocalBlock>& local) {
  const std::string subject = prefix.str() + " of " + network.name();
  for (const Network* other : before) {
    for (const Prefix& theirs : other->profile->allowed_ips) {
      if (conflicts(prefix, theirs))
        return subject + " overlaps " + theirs.str() + " of " + other->name() +
               ", which was joined before: it is not routed to " + network.name();
    }
  }
  for (const LocalBlock& block : local) {
    if (!is_default(prefix) && block.prefix.contains(prefix))
      return subject + " lies in " + block.prefix.str() + ", where this machine's " + block.device +
             " is: it is not routed into the tunnel";
  }
  return {};
}

Plan make_plan(const Network& network, const std::vector<const Network*>& before,
               const std::vector<LocalBlock>& local) {
  const Profile& profile = *network.profile;
  Plan out;
  Wanted& wanted = out.wanted;
  wanted.id = network.id;
  wanted.interface = network.interface;
  wanted.mtu = profile.mtu != 0 ? profile.mtu : kDefaultMtu;
  wanted.addresses = profile.addresses;
  const bool own_table = goes_by_own_table(network);
  for (const Prefix& prefix : profile.allowed_ips) {
    std::string problem = obstacle(network, prefix, before, local);
    if (!problem.empty()) {
      out.problems.push_back(std::move(problem));
      continue;
    }
    wanted.allowed_ips.push_back(prefix);
    wanted.routes.push_back(route_to(prefix, own_table ? table_of(network) : kMainTable));
  }
  if (own_table && !wanted.routes.empty()) add_own_table(network, wanted);
  return out;
}

}  // namespace

std::vector<Plan> make_plans(const std::vector<Network>& networks, const std::vector<LocalBlock>& local) {
  std::vector<const Network*> in_order;
  for (const Network& network : networks) {
    if (network.profile) in_order.push_back(&network);
  }
  std::ranges::sort(in_order, {}, [](const Network* network) { return network->slot; });
  std::vector<Plan> out;
  std::vector<const Network*> before;
  for (const Network* network : in_order) {
    out.push_back(make_plan(*network, before, local));
    before.push_back(network);
  }
  return out;
}

uint32_t mark_of(const Network& network) {
  return network.profile && goes_by_own_table(network) ? table_of(network) : 0;
}

uint32_t free_slot(const std::vector<Network>& networks) {
  uint32_t slot = 0;
  while (std::ranges::any_of(networks, [&](const Network& network) { return network.slot == slot; })) ++slot;
  return slot;
}

}  // namespace gw::connect
