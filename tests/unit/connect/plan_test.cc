// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/plan.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/connect/sample.h"

namespace gw::connect {
namespace {

using test::ip;
using test::prefix;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint32_t kMain = 254;

Network full(uint32_t slot) {
  Network out = test::sample_network(slot);
  out.profile->full = true;
  out.profile->gateway_name = "full" + std::to_string(slot);
  out.profile->allowed_ips = {prefix("0.0.0.0/0"), prefix("::/0")};
  return out;
}

std::vector<Prefix> routed(const Plan& plan, uint32_t table) {
  std::vector<Prefix> out;
  for (const nl::Route& route : plan.wanted.routes) {
    if (route.table == table && !route.unreachable) out.push_back(route.dst);
  }
  return out;
}

size_t refusing(const Plan& plan) {
  return static_cast<size_t>(std::ranges::count_if(plan.wanted.routes, &nl::Route::unreachable));
}

TEST(ConnectPlan, OfASplitTunnelIsRoutesInTheMainTable) {
  const auto plans = make_plans({test::sample_network()}, {{prefix("192.168.1.0/24"), "eth0"}});
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(routed(plans[0], kMain), test::sample_profile().allowed_ips);
  EXPECT_EQ(plans[0].wanted.allowed_ips, test::sample_profile().allowed_ips);
  EXPECT_EQ(plans[0].wanted.addresses, test::sample_profile().addresses);
  EXPECT_THAT(plans[0].wanted.rules, IsEmpty());
  EXPECT_EQ(plans[0].wanted.mark, 0U);
  EXPECT_EQ(plans[0].wanted.mtu, 1400U);
  EXPECT_THAT(plans[0].problems, IsEmpty());
}

TEST(ConnectPlan, OfAFullTunnelIsATableOfItsOwnForBothFamilies) {
  const auto plans = make_plans({full(3)}, {{prefix("192.168.1.0/24"), "eth0"}});
  const uint32_t table = kFirstTable + 3;
  EXPECT_EQ(routed(plans[0], table), full(3).profile->allowed_ips);
  EXPECT_EQ(plans[0].wanted.mark, table);
  EXPECT_EQ(refusing(plans[0]), 0U);
  EXPECT_THAT(plans[0].problems, IsEmpty());
  ASSERT_THAT(plans[0].wanted.rules, SizeIs(4));
  for (const Family family : {Family::v4, Family::v6}) {
    std::vector<nl::Rule> rules;
    std::ranges::copy_if(plans[0].wanted.rules, std::back_inserter(rules),
                         [&](const nl::Rule& rule) { return rule.family == family; });
    ASSERT_THAT(rules, SizeIs(2));
    EXPECT_LT(rules[0].priority, rules[1].priority);
    EXPECT_EQ(rules[0].table, kMain);
    EXPECT_EQ(rules[0].suppress_prefix_length, 0U);
    EXPECT_EQ(rules[1].table, table);
    EXPECT_EQ(rules[1].mark, table);
    EXPECT_TRUE(rules[1].invert);
  }
}

TEST(ConnectPlan, ThatFailsClosedRefusesWithoutTheDevice) {
  Network network = full(0);
  network.fail_closed = true;
  const auto plans = make_plans({network}, {});
  EXPECT_EQ(refusing(plans[0]), 2U);
  for (const nl::Route& route : plans[0].wanted.routes) EXPECT_EQ(route.unreachable, route.metric > 1'000'000U);
}

TEST(ConnectPlan, APrefixWithTheEndpointInItDoesNotSwallowTheTunnel) {
  Network network = test::sample_network();
  network.profile->allowed_ips = {prefix("203.0.113.0/24")};
  const auto plans = make_plans({network}, {});
  EXPECT_EQ(plans[0].wanted.mark, kFirstTable);
  EXPECT_EQ(routed(plans[0], kFirstTable), network.profile->allowed_ips);
  network.endpoint = ip("198.51.100.1");
  EXPECT_EQ(make_plans({network}, {})[0].wanted.mark, 0U);
}

TEST(ConnectPlan, AProxyIsReachedPastTheTunnelWhoeverNamesIt) {
  for (const auto member : {&Network::proxy, &Network::service_proxy}) {
    Network network = test::sample_network();
    network.*member = "10.1.1.99:8888";
    const auto plans = make_plans({network}, {});
    EXPECT_EQ(plans[0].wanted.mark, kFirstTable);
    EXPECT_EQ(mark_of(network), kFirstTable);
    EXPECT_EQ(routed(plans[0], kFirstTable), network.profile->allowed_ips);
    EXPECT_THAT(routed(plans[0], kMain), IsEmpty());
  }
}

TEST(ConnectPlan, WhatOverlapsANetworkJoinedBeforeIsNamedWithIt) {
  Network second = test::sample_network(1);
  second.profile->gateway_name = "fabrikam";
  second.profile->allowed_ips = {prefix("10.1.2.0/24"), prefix("10.9.0.0/16")};
  const auto plans = make_plans({second, test::sample_network(0)}, {});
  ASSERT_THAT(plans, SizeIs(2));
  EXPECT_THAT(plans[0].problems, IsEmpty());
  EXPECT_EQ(routed(plans[1], kMain), std::vector{prefix("10.9.0.0/16")});
  ASSERT_THAT(plans[1].problems, SizeIs(1));
  EXPECT_THAT(plans[1].problems[0], HasSubstr("10.1.2.0/24 of fabrikam overlaps 10.1.0.0/16 of contoso"));
}

TEST(ConnectPlan, OneFullTunnelGoesBesideSplitOnesAndNotBesideAnother) {
  const auto plans = make_plans({full(0), test::sample_network(1), full(2)}, {});
  EXPECT_THAT(plans[0].problems, IsEmpty());
  EXPECT_THAT(plans[1].problems, IsEmpty());
  ASSERT_THAT(plans[2].problems, SizeIs(2));
  EXPECT_THAT(plans[2].problems[0], HasSubstr("0.0.0.0/0 of full2 overlaps 0.0.0.0/0 of full0"));
  EXPECT_THAT(plans[2].wanted.rules, IsEmpty());
}

TEST(ConnectPlan, TheLocalNetStaysLocal) {
  const auto plans = make_plans({test::sample_network()}, {{prefix("10.0.0.0/8"), "eth0"}});
  EXPECT_EQ(routed(plans[0], kMain), (std::vector{prefix("172.16.201.0/24"), prefix("fd6d:706e:6c61::/64")}));
  ASSERT_THAT(plans[0].problems, SizeIs(1));
  EXPECT_THAT(plans[0].problems[0], HasSubstr("10.1.0.0/16 of contoso lies in 10.0.0.0/8, where this machine's eth0"));
  // A smaller block has the longer prefix: routing keeps it apart.
  EXPECT_THAT(make_plans({test::sample_network()}, {{prefix("10.1.5.0/24"), "eth0"}})[0].problems, IsEmpty());
}

TEST(ConnectPlan, ThereIsNoneBeforeTheProfileCame) {
  Network network = test::sample_network();
  network.profile.reset();
  EXPECT_THAT(make_plans({network}, {}), IsEmpty());
  EXPECT_EQ(mark_of(network), 0U);
}

TEST(ConnectPlan, SlotsAreTheLowestThatAreFree) {
  EXPECT_EQ(free_slot({}), 0U);
  EXPECT_EQ(free_slot({test::sample_network(0), test::sample_network(2)}), 1U);
}

}  // namespace
}  // namespace gw::connect
