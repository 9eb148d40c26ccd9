// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "gatewayd/policy/compile.h"
#include "gatewayd/policy/reference.h"
#include "tests/support/policy_generator.h"
#include "tests/unit/policy/office.h"

namespace gw {
namespace {

using policy::Packet;
using policy::Verdict;
using test::PolicyCase;

constexpr uint64_t kPolicies = 1200;
constexpr int kPacketsEach = 60;

/// Where the two paths part, told so that it can be replayed: the seed makes the same policy and packets again.
void compare(uint64_t seed, int packets) {
  test::Random random(seed);
  const PolicyCase policy = test::random_policy(random);
  policy::Interner interner;
  const auto compiled = policy::compile(policy.config, policy.hosts, interner);
  ASSERT_TRUE(compiled) << compiled.error().message();
  const auto hosts = test::host_classes(*compiled, policy.hosts);
  for (int i = 0; i < packets; ++i) {
    const Packet packet = test::random_packet(random, policy);
    const Verdict expected = policy::evaluate(policy.config, policy.hosts, packet);
    const Verdict actual = test::look_up(*compiled, hosts, interner, packet);
    ASSERT_EQ(actual, expected) << "seed " << seed << ", packet " << i << ": " << test::describe(packet)
                                << "\ncompiled: " << test::describe(actual)
                                << "\nreference: " << test::describe(expected) << "\n"
                                << policy.str();
  }
}

/// Another each run; GW_SEED=n repeats one.
uint64_t first_seed() {
  const char* given = std::getenv("GW_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

TEST(PolicyProperty, TheCompiledTablesSayWhatTheRulesSay) {
  const uint64_t first = first_seed();
  RecordProperty("first_seed", std::to_string(first));
  std::cout << "seeds " << first << " to " << first + kPolicies - 1 << "\n";
  for (uint64_t seed = first; seed < first + kPolicies && !HasFatalFailure(); ++seed) compare(seed, kPacketsEach);
}

/// A comparison is worth what it covers: most policies decide some packets by a written rule, and every action occurs.
TEST(PolicyProperty, TheRandomPacketsMeetEveryKindOfVerdict) {
  std::map<std::string, int> seen;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    test::Random random(seed);
    const PolicyCase policy = test::random_policy(random);
    for (int i = 0; i < kPacketsEach; ++i) {
      const Verdict verdict = policy::evaluate(policy.config, policy.hosts, test::random_packet(random, policy));
      const bool interconnect = verdict.rule.starts_with("group:");
      seen[verdict.rule.empty() ? "default" : interconnect ? "interconnect" : "rule"]++;
      if (!verdict.rule.empty())
        seen[verdict.action == config::Action::allow  ? "allow"
             : verdict.action == config::Action::deny ? "deny"
                                                      : "reject"]++;
      if (verdict.nat) seen["nat"]++;
      if (verdict.log) seen["log"]++;
    }
  }
  for (const char* what : {"default", "interconnect", "rule", "allow", "deny", "reject", "nat", "log"}) {
    EXPECT_GT(seen[what], 20) << what;
    std::cout << what << " " << seen[what] << "\n";
  }
}

}  // namespace
}  // namespace gw
