// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ConfigurationTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(kUsual);
    start();
    kernel_.done.clear();
  }
  // The usual configuration with one more group, to have a change.
  void write_change() { write(std::string(kUsual) + "nat: [{from: vpn, out: eth0}]\n"); }
  std::string drop_in() { return read_file(directory_ / "etc/gateway.d/90-gwctl.yaml").value_or(""); }
};

TEST_F(ConfigurationTest, RefusesFilesThatDoNotLoadWithEveryDiagnosticAndChangesNothing) {
  write("groups: {a: {descripion: x}}\nsubnets: {web: {interface: eth1}}\n");
  const auto applied = gateway_->apply(0, "uid 0");
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, EINVAL);
  EXPECT_THAT(applied.error().detail, HasSubstr("gateway.yaml:9:14: error:"));
  EXPECT_THAT(applied.error().detail, HasSubstr("prefixes"));
  EXPECT_THAT(kernel_.done, IsEmpty());
  EXPECT_EQ(value_of(gateway_->summary()).applied_sequence, 1U);
}

TEST_F(ConfigurationTest, AppliesAndIsConfirmedAtOnceWithoutADeadline) {
  write_change();
  EXPECT_TRUE(value_of(gateway_->summary()).files_differ);
  const auto applied = value_of(gateway_->apply(0, "uid 0"));
  EXPECT_EQ(applied.sequence, 2U);
  EXPECT_EQ(applied.confirm_deadline, 0);
  EXPECT_THAT(applied.operations, Not(IsEmpty()));
  const auto status = value_of(gateway_->status());
  EXPECT_TRUE(status.confirmed);
  EXPECT_FALSE(status.files_differ);
}

TEST_F(ConfigurationTest, GoesBackAtTheSecondOfTheDeadlineUnlessConfirmed) {
  write_change();
  const auto applied = value_of(gateway_->apply(60, "uid 0"));
  EXPECT_EQ(applied.confirm_deadline, clock_.at + 60);
  EXPECT_EQ(gateway_->next_tick(), clock_.at + 60);
  EXPECT_FALSE(value_of(gateway_->status()).confirmed);
  clock_.at += 59;
  gateway_->tick();
  EXPECT_EQ(reconciler_->intent()->config.nat.size(), 1U);
  clock_.at += 1;
  gateway_->tick();
  EXPECT_THAT(reconciler_->intent()->config.nat, IsEmpty());
  EXPECT_EQ(value_of(gateway_->status()).applied_sequence, 1U);
  EXPECT_EQ(gateway_->next_tick(), std::nullopt);
}

TEST_F(ConfigurationTest, StaysWhenItIsConfirmedInTime) {
  write_change();
  ASSERT_TRUE(gateway_->apply(60, "uid 0"));
  ASSERT_TRUE(gateway_->confirm("uid 0"));
  clock_.at += 61;
  gateway_->tick();
  EXPECT_EQ(reconciler_->intent()->config.nat.size(), 1U);
  EXPECT_FALSE(gateway_->confirm("uid 0")) << "nothing waits any more";
}

TEST_F(ConfigurationTest, RefusesAnotherApplyWhileOneWaits) {
  write_change();
  ASSERT_TRUE(gateway_->apply(60, "uid 0"));
  const auto second = gateway_->apply(0, "uid 0");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_EQ(reconciler_->intent()->config.nat.size(), 1U);
}

TEST_F(ConfigurationTest, RollsBackTheConfigurationButNoRevocation) {
  ASSERT_TRUE(add("alice", {"developers"}));
  const PublicKey alice = last_key_;
  write_change();
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  ASSERT_TRUE(gateway_->revoke_client("alice", "unspecified", "uid 0"));
  const auto back = value_of(gateway_->rollback("uid 0"));
  EXPECT_EQ(back.sequence, 1U);
  EXPECT_THAT(reconciler_->intent()->config.nat, IsEmpty());
  EXPECT_FALSE(has_peer(alice));
  const auto again = gateway_->rollback("uid 0");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ENOENT);
}

TEST_F(ConfigurationTest, LeavesEverythingAsItWasWhenTheKernelRefuses) {
  kernel_.refuse["~ firewall"] = Error{EIO, "load", "frame", "the test says so"};
  write_change();
  const auto applied = gateway_->apply(0, "uid 0");
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message(), HasSubstr("the test says so"));
  EXPECT_THAT(reconciler_->intent()->config.nat, IsEmpty());
  EXPECT_EQ(value_of(gateway_->summary()).applied_sequence, 1U);
  EXPECT_THAT(value_of(gateway_->status()).drift, IsEmpty());
}

TEST_F(ConfigurationTest, RefusesAnInterfaceThatIsNotThereWithTheNearestName) {
  write("subnets:\n  web: {prefixes: [10.1.1.0/24], interface: eth11}\n");
  const auto applied = gateway_->apply(0, "uid 0");
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ENODEV);
  EXPECT_THAT(applied.error().message(), HasSubstr("did you mean 'eth1'?"));
  EXPECT_THAT(kernel_.done, IsEmpty());
  EXPECT_THAT(value_of(gateway_->plan()).diagnostics.back().text, HasSubstr("eth11"));
}

TEST_F(ConfigurationTest, AppliesOtherChangesWhileAnInterfaceThatWasThereIsGone) {
  kernel_.delete_link("eth1");
  kernel_.host.erase("eth1");
  write_change();
  EXPECT_EQ(refusal(gateway_->apply(0, "uid 0")), "accepted");
  EXPECT_EQ(reconciler_->intent()->config.nat.size(), 1U);
}

TEST_F(ConfigurationTest, AppliesOtherChangesWhileWhatFailedBeforeStillFails) {
  kernel_.state.attachments.clear();
  kernel_.refuse["+ program policy ingress on eth1"] = Error{EIO, "attach", "eth1", "the test says so"};
  gateway_->converge();
  ASSERT_THAT(reconciler_->last().errors, Not(IsEmpty()));
  write_change();
  EXPECT_EQ(refusal(gateway_->apply(0, "uid 0")), "accepted");
  EXPECT_EQ(reconciler_->intent()->config.nat.size(), 1U);
}

TEST_F(ConfigurationTest, RefusesToLoseAGroupThatHasMembers) {
  ASSERT_TRUE(add("alice", {"ops"}));
  ASSERT_TRUE(add("bob", {"ops"}));
  std::string text = kUsual;
  text.erase(text.find("  ops: {}\n"), 10);
  write(text);
  const auto applied = gateway_->apply(0, "uid 0");
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, EBUSY);
  EXPECT_THAT(applied.error().detail, HasSubstr("group ops is gone, but alice and bob are in it"));
  const auto plan = value_of(gateway_->plan());
  EXPECT_THAT(plan.diagnostics.back().text, HasSubstr("alice and bob"));
  ASSERT_TRUE(gateway_->remove_client("alice", "uid 0"));
  ASSERT_TRUE(gateway_->remove_client("bob", "uid 0"));
  EXPECT_EQ(refusal(gateway_->apply(0, "uid 0")), "accepted");
}

TEST_F(ConfigurationTest, RefusesPoolsThatDoNotHoldTheAddressesGivenOut) {
  ASSERT_TRUE(add("alice"));
  std::string text = read_file(directory_ / "etc/gateway.yaml").value();
  const size_t at = text.find("172.16.201.0/24");
  write_whole(std::string(text).replace(at, 15, "172.16.202.0/24"));
  const auto moved = gateway_->apply(0, "uid 0");
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, EBUSY);
  EXPECT_THAT(moved.error().detail, HasSubstr("alice (172.16.201.3)"));
  write_whole(std::string(text).replace(at, 15, "172.16.201.0/29"));
  EXPECT_EQ(refusal(gateway_->apply(0, "uid 0")), "accepted");
}

TEST_F(ConfigurationTest, PlansWithoutChangingAnything) {
  EXPECT_THAT(value_of(gateway_->plan()).operations, IsEmpty());
  write_change();
  const auto plan = value_of(gateway_->plan());
  EXPECT_TRUE(plan.files_differ);
  EXPECT_THAT(plan.operations, Not(IsEmpty()));
  EXPECT_THAT(kernel_.done, IsEmpty());
}

TEST_F(ConfigurationTest, EditsTheDropInAndAppliesNothing) {
  config::Group group;
  group.description = "guests";
  ASSERT_TRUE(gateway_->add_group("guests", group, "uid 0"));
  EXPECT_THAT(drop_in(), HasSubstr("guests"));
  EXPECT_TRUE(gateway_->config().groups.contains("guests"));
  EXPECT_FALSE(reconciler_->intent()->config.groups.contains("guests"));
  EXPECT_THAT(kernel_.done, IsEmpty());
  EXPECT_THAT(refusal(add("alice", {"guests"})), HasSubstr("run gwctl apply first"));
  ASSERT_TRUE(gateway_->remove_group("guests", "uid 0"));
  EXPECT_FALSE(gateway_->config().groups.contains("guests"));
}

TEST_F(ConfigurationTest, EditsSubnetsAndRules) {
  config::Subnet subnet;
  subnet.prefixes = {*Prefix::parse("10.1.2.0/24")};
  subnet.interface = "eth1";
  ASSERT_TRUE(gateway_->add_subnet("data", subnet, "uid 0"));
  config::Rule rule;
  rule.name = "ops-data";
  rule.action = config::Action::allow;
  rule.from = {{config::Selector::Kind::group, "ops", {}}};
  rule.to = {{config::Selector::Kind::subnet, "data", {}}};
  rule.service_names = {"ssh"};
  ASSERT_TRUE(gateway_->add_rule(rule, "no-web", std::nullopt, "uid 0"));
  const auto rules = value_of(gateway_->rules());
  ASSERT_GE(rules.size(), 3U);
  EXPECT_EQ(rules[1].rule.name, "ops-data");
  ASSERT_TRUE(gateway_->remove_rule("ops-data", "uid 0"));
  ASSERT_TRUE(gateway_->remove_subnet("data", "uid 0"));
  EXPECT_FALSE(gateway_->config().subnets.contains("data"));
}

TEST_F(ConfigurationTest, RefusesToRemoveAGroupWithMembersFromTheFiles) {
  ASSERT_TRUE(gateway_->add_group("guests", {}, "uid 0"));
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  ASSERT_TRUE(add("alice", {"guests"}));
  const auto removed = gateway_->remove_group("guests", "uid 0");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, EBUSY);
  EXPECT_THAT(removed.error().detail, HasSubstr("alice is in it"));
  EXPECT_THAT(drop_in(), HasSubstr("guests"));
}

TEST_F(ConfigurationTest, FollowsTheNamesOfSites) {
  write(std::string(kUsual) + "sites:\n  parents: {public_key: \"" + PublicKey{{7}}.str() +
        "\", endpoint: \"home.example:51820\", prefixes: [192.168.50.0/24]}\n");
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  const auto endpoint = [&] { return kernel_.state.wireguard.peers.at(PublicKey{{7}}).endpoint; };
  EXPECT_THAT(gateway_->names_to_resolve(), ::testing::ElementsAre("home.example"));
  EXPECT_EQ(endpoint(), std::nullopt);
  gateway_->name_resolved("home.example", *IpAddress::parse("192.0.2.7"));
  EXPECT_EQ(endpoint(), std::pair(*IpAddress::parse("192.0.2.7"), uint16_t{51820}));
  gateway_->name_resolved("home.example", *IpAddress::parse("192.0.2.8"));
  EXPECT_EQ(endpoint(), std::pair(*IpAddress::parse("192.0.2.8"), uint16_t{51820}));
  const size_t reports = reports_.size();
  gateway_->name_resolved("home.example", *IpAddress::parse("192.0.2.8"));
  EXPECT_EQ(reports_.size(), reports) << "nothing new, nothing to do";
}

TEST_F(ConfigurationTest, AnnouncesEveryChange) {
  int announced = 0;
  gateway_->on_change([&] { ++announced; });
  ASSERT_TRUE(gateway_->add_group("guests", {}, "uid 0"));
  EXPECT_EQ(announced, 1);
  ASSERT_TRUE(gateway_->apply(60, "uid 0"));
  EXPECT_GT(announced, 1);
  const int before = announced;
  ASSERT_TRUE(gateway_->confirm("uid 0"));
  EXPECT_GT(announced, before);
}

}  // namespace
}  // namespace gw::test
