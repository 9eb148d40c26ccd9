// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gatewayd/policy/compile.h"
#include "gatewayd/policy/lookup.h"
#include "gatewayd/policy/reference.h"
#include "tests/support/big_policy.h"
#include "tests/support/policy_text.h"

/// Sizes, not times: what grows with what. Times: tests/bench/compile.cc.
namespace gw {
namespace {

constexpr size_t kGroups = 100;
constexpr size_t kSubnets = 50;
constexpr size_t kRules = 10000;
constexpr size_t kMiB = size_t{1} << 20U;

std::string group(size_t n) { return "g" + std::to_string(n); }
std::string subnet(size_t n) { return "s" + std::to_string(n); }

void add_rule(config::Config& config, const std::string& text) {
  config.rules.push_back(test::rule("r" + std::to_string(config.rules.size()), text));
}

TEST(Scale, TenThousandRulesBetweenGroupsAndSubnetsAreAFewMegabytes) {
  config::Config config = test::big_network(kGroups, kSubnets);
  test::add_group_rules(config, kRules, 1);
  policy::Interner interner;
  const auto hosts = test::big_clients(config, 1000, 1, 2);
  const auto compiled = policy::compile(config, hosts, interner);
  ASSERT_TRUE(compiled) << compiled.error().message();
  EXPECT_LE(compiled->image.pairs.size(), kGroups * kSubnets);
  EXPECT_LT(policy::table_bytes(compiled->image), 8 * kMiB);
  // The last rule is as near as the first.
  const config::Rule& last = config.rules.back();
  const auto member =
      std::ranges::find_if(hosts, [&](const auto& host) { return host.groups.front() == last.from[0].name; });
  ASSERT_NE(member, hosts.end());
  const auto target = config.subnets.at(last.to[0].name).prefixes[0].nth(5).value();
  const uint32_t ref =
      policy::decide(compiled->image, compiled->class_of(*member).value(),
                     policy::classify(compiled->image, {}, target).class_id, GW_KIND_TCP, last.services[0].first);
  const auto expected = policy::evaluate(
      config, hosts, {.source = member->address, .destination = target, .key = last.services[0].first});
  EXPECT_EQ(interner.rule_name(ref & GW_REF_RULE_MASK), expected.rule);
}

TEST(Scale, TenThousandLiteralsMakeOnePairEach) {
  config::Config config = test::big_network(kGroups, kSubnets);
  for (size_t i = 0; i < kRules; ++i) {
    add_rule(config, "allow group:" + group(i % kGroups) + " -> 10." + std::to_string(i % kSubnets) + "." +
                         std::to_string(i / 250) + "." + std::to_string(i % 250) + "/32 tcp/443");
  }
  policy::Interner interner;
  const auto compiled = policy::compile(config, test::big_clients(config, 1000, 1, 2), interner);
  ASSERT_TRUE(compiled) << compiled.error().message();
  EXPECT_EQ(compiled->image.pairs.size(), kRules);
  EXPECT_LT(policy::table_bytes(compiled->image), 8 * kMiB);
}

/// Without a rest for each source this would be the square of the classes.
TEST(Scale, ARuleFromAnyToAnyCostsOneEntryForEachClass) {
  config::Config config = test::big_network(kGroups, kSubnets);
  for (size_t i = 0; i < kGroups; ++i)
    add_rule(config, "allow group:" + group(i) + " -> subnet:" + subnet(i % kSubnets) + " tcp/443");
  add_rule(config, "deny any -> any any log");
  policy::Interner interner;
  const auto hosts = test::big_clients(config, 5000, 2, 3);
  const auto compiled = policy::compile(config, hosts, interner);
  ASSERT_TRUE(compiled) << compiled.error().message();
  EXPECT_LT(compiled->image.pairs.size(), 4 * hosts.size());
}

TEST(Budget, ARefusalNamesTheRulesThatCostMostAndLeavesTheNamesAlone) {
  config::Config config = test::big_network(kGroups, kSubnets);
  add_rule(config, "allow group:g1 -> subnet:s1 tcp/443");
  for (size_t i = 0; i < kGroups; ++i)
    config.rules.push_back(test::rule("to-" + group(i), "allow vpn -> group:" + group(i) + " tcp/443"));
  policy::Interner interner;
  const policy::Interner before = interner;
  const auto hosts = test::big_clients(config, 2000, 3, 4);
  const auto refused = policy::compile(config, hosts, interner, kMiB);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, E2BIG);
  EXPECT_NE(refused.error().detail.find("1024 KiB"), std::string::npos) << refused.error().detail;
  EXPECT_NE(refused.error().detail.find("'to-g"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(refused.error().detail.find("'r0'"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(interner, before);
}

TEST(Budget, IsKeptByWhatIsNotRefused) {
  config::Config config = test::big_network(kGroups, kSubnets);
  for (size_t i = 0; i < kGroups; ++i)
    add_rule(config, "allow group:" + group(i) + " -> subnet:" + subnet(i % kSubnets) + " tcp/443");
  const auto hosts = test::big_clients(config, 500, 1, 5);
  policy::Interner interner;
  const auto compiled = policy::compile(config, hosts, interner);
  ASSERT_TRUE(compiled) << compiled.error().message();
  const size_t bytes = policy::table_bytes(compiled->image);
  EXPECT_TRUE(policy::compile(config, hosts, interner, bytes));
  EXPECT_FALSE(policy::compile(config, hosts, interner, bytes - 1));
}

TEST(Budget, RuleNumbersThatAreUsedUpAreAClearError) {
  config::Config config = test::big_network(kGroups, kSubnets);
  policy::Interner interner;
  for (uint32_t i = 1; i < GW_MAX_RULES; ++i) interner.rule("old" + std::to_string(i));
  config.rules.push_back(test::rule("old5", "allow vpn -> any any"));
  EXPECT_TRUE(policy::compile(config, {}, interner));
  config.rules.push_back(test::rule("new", "allow vpn -> any any"));
  const auto refused = policy::compile(config, {}, interner);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOSPC);
  EXPECT_EQ(refused.error().object, "rule 'new'");
}

}  // namespace
}  // namespace gw
