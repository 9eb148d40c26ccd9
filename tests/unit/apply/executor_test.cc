// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"

namespace gw::apply {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// A gateway with one subnet on eth1 and one on a VLAN of eth2.
plan::Desired gateway() {
  plan::Desired desired;
  desired.vpns["wg0"] = {.name = "wg0"};
  desired.vlans["eth2.20"] = {.name = "eth2.20", .parent = "eth2", .vlan = 20};
  desired.addresses = {{"wg0", *IpAddress::parse("172.16.201.1"), 24},
                       {"eth1", *IpAddress::parse("10.1.1.1"), 24},
                       {"eth2.20", *IpAddress::parse("10.1.2.1"), 24}};
  desired.routes = {{*Prefix::parse("192.168.50.0/24"), std::nullopt, "wg0"}};
  desired.wireguard = {.device = "wg0", .public_key = PublicKey{}, .listen_port = 51820};
  desired.policy.fingerprint = "image";
  desired.policy.links = {{"wg0", {.link = 1}}, {"eth1", {.link = 2}}, {"eth2.20", {.link = 3}}};
  desired.attachments = {
      {"wg0", plan::Hook::vpn_ingress}, {"eth1", plan::Hook::subnet_ingress}, {"eth2.20", plan::Hook::subnet_ingress}};
  desired.firewall.fingerprint = "frame";
  desired.sysctls = {{"net.ipv4.conf.eth1.rp_filter", "2"}, {"net.ipv4.ip_forward", "1"}};
  return desired;
}

class ExecutorTest : public testing::Test {
 protected:
  ExecutorTest() { kernel_.host["eth2"] = {}; }

  Execution run() {
    return execute(kernel_, plan::diff(desired_, kernel_.observe(desired_).value()), desired_, SecretKey());
  }
  bool forwards() const { return kernel_.sysctls.contains("net.ipv4.ip_forward"); }

  test::FakeKernel kernel_;
  plan::Desired desired_ = gateway();
};

TEST_F(ExecutorTest, DoesAWholePlan) {
  const Execution execution = run();
  EXPECT_THAT(execution.errors, IsEmpty());
  EXPECT_THAT(execution.not_done, IsEmpty());
  EXPECT_EQ(execution.done, kernel_.done);
  EXPECT_THAT(plan::diff(desired_, kernel_.observe(desired_).value()), IsEmpty());
}

TEST_F(ExecutorTest, TellsOneErrorForAMissingInterfaceAndDoesAllTheRest) {
  kernel_.host.erase("eth1");
  const Execution execution = run();
  ASSERT_THAT(execution.errors, SizeIs(1));
  EXPECT_EQ(execution.errors[0].object, "eth1");
  EXPECT_THAT(execution.not_done,
              ElementsAre("~ policy: interface eth1 (link 2)", "+ program policy ingress on eth1",
                          "~ sysctl net.ipv4.conf.eth1.rp_filter = 2", "+ address 10.1.1.1/24 on eth1"));
  EXPECT_TRUE(kernel_.state.vpns.at("wg0").up);
  EXPECT_TRUE(kernel_.state.vlans.at("eth2.20").up);
  EXPECT_TRUE(forwards());
}

TEST_F(ExecutorTest, LeavesOutWhatBelongsToADeviceThatCouldNotBeMade) {
  kernel_.refuse["+ link wg0"] = {EEXIST, "create WireGuard device", "wg0", "it is not ours"};
  const Execution execution = run();
  EXPECT_THAT(execution.errors, SizeIs(1));
  EXPECT_THAT(execution.done, Not(Contains(HasSubstr("wg0"))));
  EXPECT_TRUE(kernel_.state.vlans.at("eth2.20").up);
}

TEST_F(ExecutorTest, OpensNothingWithoutTheFrame) {
  kernel_.refuse["~ firewall frame"] = {ENOENT, "run", "nft", ""};
  const Execution execution = run();
  EXPECT_THAT(execution.errors, SizeIs(1));
  EXPECT_FALSE(kernel_.state.vpns.at("wg0").up);
  EXPECT_FALSE(kernel_.state.vlans.at("eth2.20").up);
  EXPECT_FALSE(forwards());
  EXPECT_THAT(execution.not_done, ElementsAre("~ firewall frame (nftables)", "~ link wg0: up", "~ link eth2.20: up",
                                              "+ route 192.168.50.0/24 on wg0", "~ sysctl net.ipv4.ip_forward = 1"));
}

TEST_F(ExecutorTest, OpensNothingWithoutThePolicy) {
  kernel_.refuse["~ policy (all tables)"] = {ENOSPC, "install the policy", "", ""};
  run();
  EXPECT_FALSE(kernel_.state.vpns.at("wg0").up);
  EXPECT_FALSE(forwards());
}

TEST_F(ExecutorTest, LeavesADeviceDownWhoseProgramIsNotAttached) {
  kernel_.refuse["+ program policy ingress on eth2.20"] = {EPERM, "attach", "eth2.20", ""};
  run();
  EXPECT_FALSE(kernel_.state.vlans.at("eth2.20").up);
  EXPECT_TRUE(kernel_.state.vpns.at("wg0").up);
  EXPECT_TRUE(forwards());
}

TEST_F(ExecutorTest, AddsNoRouteOverADeviceThatDidNotComeUp) {
  kernel_.refuse["~ link wg0: up"] = {EADDRINUSE, "bring up", "wg0", ""};
  const Execution execution = run();
  EXPECT_THAT(execution.errors, SizeIs(1));
  EXPECT_THAT(execution.not_done, ElementsAre("~ link wg0: up", "+ route 192.168.50.0/24 on wg0"));
}

TEST_F(ExecutorTest, RemovesEvenWhenSomethingBeforeFailed) {
  run();
  desired_.routes.clear();
  desired_.attachments.erase({"eth1", plan::Hook::subnet_ingress});
  desired_.firewall.fingerprint = "new frame";
  kernel_.refuse["~ firewall frame"] = {EIO, "run", "nft", ""};
  const Execution execution = run();
  EXPECT_THAT(execution.done, ElementsAre("- route 192.168.50.0/24 on wg0", "- program policy ingress on eth1"));
}

}  // namespace
}  // namespace gw::apply
