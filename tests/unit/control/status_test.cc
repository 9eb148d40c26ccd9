// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StatusTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(kUsual);
    start();
  }
  control::InterfaceStatus interface(const std::string& name) {
    for (const auto& status : value_of(gateway_->status()).interfaces) {
      if (status.name == name) return status;
    }
    return {};
  }
};

TEST_F(StatusTest, ShowsEachInterfaceWithItsRoleAndPrograms) {
  EXPECT_EQ(interface("eth0").role, "public");
  EXPECT_THAT(interface("eth0").programs, ElementsAre("guard TC (no XDP in the driver)"));
  EXPECT_EQ(interface("wg0").role, "vpn");
  EXPECT_THAT(interface("wg0").programs, ElementsAre("policy ingress", "policy egress"));
  EXPECT_THAT(interface("wg0").addresses, Contains("172.16.201.1"));
  EXPECT_EQ(interface("eth1").role, "subnet web");
  EXPECT_THAT(interface("eth1").programs, ElementsAre("policy ingress"));
}

TEST_F(StatusTest, ShowsWhatIsMissingAndWhatCouldNotBeMended) {
  kernel_.state.attachments.clear();
  kernel_.refuse["+ program policy ingress on eth1"] = Error{EIO, "attach", "eth1", "the test says so"};
  gateway_->converge();
  EXPECT_THAT(interface("eth1").programs, IsEmpty());
  const auto status = value_of(gateway_->status());
  EXPECT_THAT(status.drift, ElementsAre("+ program policy ingress on eth1"));
  EXPECT_THAT(status.last_error, HasSubstr("the test says so"));
  EXPECT_EQ(status.repairs, 3U) << "those on wg0, and the guard";
  kernel_.host.erase("eth1");
  EXPECT_EQ(interface("eth1").state, "missing");
}

TEST_F(StatusTest, WarnsOfCertificatesThatEndSoonAndTellsEachStageOnce) {
  value_of(add("alice", {}, 100));
  value_of(add("bob", {}, 365));
  clock_.at += 80 * 86400;
  value_of(add("laptop", {}, 20));
  EXPECT_THAT(value_of(gateway_->status()).warnings,
              ElementsAre(HasSubstr("the certificate of client alice ends in 20 days")))
      << "the laptop's is as new as can be";
  const auto told = [&] {
    const size_t before = log_.size();
    gateway_->tell_endings();
    return log_.size() - before;
  };
  EXPECT_EQ(told(), 1U);
  EXPECT_EQ(told(), 0U);
  clock_.at += 14 * 86400;
  EXPECT_EQ(told(), 1U);
  EXPECT_THAT(log_.back(), HasSubstr("gwctl client renew alice"));
}

TEST_F(StatusTest, IsHealthyWithASubnetsCardPulledOut) {
  EXPECT_THAT(value_of(gateway_->status()).ill, IsEmpty());
  kernel_.host.erase("eth1");
  kernel_.state.attachments.erase({"eth1", plan::Hook::subnet_ingress});
  gateway_->converge();
  const auto status = value_of(gateway_->status());
  EXPECT_THAT(status.drift, ::testing::Not(IsEmpty()));
  EXPECT_THAT(status.ill, IsEmpty());
}

TEST_F(StatusTest, IsIllWhereAProgramIsMissingOnACardThatIsThere) {
  kernel_.state.attachments.clear();
  kernel_.refuse["+ program policy ingress on eth1"] = Error{EIO, "attach", "eth1", "the test says so"};
  gateway_->converge();
  EXPECT_THAT(value_of(gateway_->status()).ill, ElementsAre("not done: + program policy ingress on eth1"));
  kernel_.refuse.clear();
  gateway_->converge();
  EXPECT_THAT(value_of(gateway_->status()).ill, IsEmpty());
}

TEST_F(StatusTest, IsIllWithoutTheTunnelsDevice) {
  kernel_.state.vpns.clear();
  kernel_.refuse["+ link wg0"] = Error{EOPNOTSUPP, "make WireGuard device", "wg0", "the kernel has none"};
  gateway_->converge();
  EXPECT_THAT(value_of(gateway_->status()).ill, Contains("not done: + link wg0 (WireGuard)"));
}

TEST_F(StatusTest, IsIllWithoutThePublicInterface) {
  kernel_.host.erase("eth0");
  gateway_->converge();
  EXPECT_THAT(value_of(gateway_->status()).ill, Contains("the public interface eth0 is missing"));
}

TEST_F(StatusTest, CountsPoolsRulesAndClients) {
  ASSERT_TRUE(add("alice"));
  const auto status = value_of(gateway_->status());
  EXPECT_EQ(status.clients, 1U);
  EXPECT_EQ(status.peers, 1U);
  EXPECT_EQ(status.peers_online, 0U);
  ASSERT_EQ(status.pools.size(), 2U);
  EXPECT_EQ(status.pools[0].allocated, 1U);
  EXPECT_EQ(status.listen_port, 51820);
  EXPECT_GE(status.rules, 2U);
  EXPECT_EQ(status.policy_generation, kernel_.word);
}

TEST_F(StatusTest, WarnsOfGroupsThatGrantNothing) {
  ASSERT_TRUE(add("alice", {"ops"}));
  // A group can vanish under a client only by a roll back: an apply refuses it.
  auto alice = value_of(registry_->client("alice"));
  alice.groups = {"gone", "ops"};
  ASSERT_TRUE(registry_->update_client(alice, "uid 0", clock_.at));
  EXPECT_THAT(value_of(gateway_->status()).warnings, Contains(HasSubstr("client alice is in gone")));
  EXPECT_THAT(value_of(gateway_->client("alice")).missing_groups, ElementsAre("gone"));
}

TEST_F(StatusTest, WarnsOfAClockThatNobodyKeepsRight) {
  const auto warned = HasSubstr("the clock is not synchronised");
  EXPECT_THAT(value_of(gateway_->status()).warnings, ::testing::Not(Contains(warned)));
  synchronised_ = false;
  EXPECT_THAT(value_of(gateway_->status()).warnings, Contains(warned));
}

TEST_F(StatusTest, ListsRulesWithTheirCountersAndTheBuiltInOnes) {
  write(std::string(kUsual) + "");
  std::string text = kUsual;
  text.replace(text.find("ops: {}"), 7, "ops: {interconnect: true}");
  write(text);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  kernel_.rule_counters[reconciler_->rule_id("dev-web")] = {
      .packets = 10, .bytes = 2000, .flows = 3, .denied = 0, .idle_ns = 7'900'000'000};
  const auto rules = value_of(gateway_->rules());
  ASSERT_GE(rules.size(), 4U);
  EXPECT_EQ(rules[0].rule.name, "dev-web");
  EXPECT_EQ(rules[0].hits, 3U);
  EXPECT_EQ(rules[0].idle_seconds, 7U);
  EXPECT_EQ(rules[1].idle_seconds, UINT64_MAX);
  EXPECT_EQ(rules.back().rule.name, policy::interconnect_rule_name("ops"));
  EXPECT_TRUE(rules.back().rule.built_in);
}

TEST_F(StatusTest, SaysWhyTheFilesDifferWhenTheyDoNotLoad) {
  write("nonsense");
  const auto status = value_of(gateway_->status());
  EXPECT_TRUE(status.files_differ);
  EXPECT_THAT(value_of(gateway_->plan()).diagnostics, ::testing::Not(IsEmpty()));
  EXPECT_TRUE(gateway_->config().groups.contains("ops")) << "the applied ones are shown meanwhile";
}

}  // namespace
}  // namespace gw::test
