// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "gatewayd/plan/plan.h"

namespace gw::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

PublicKey key(uint8_t seed) {
  PublicKey result;
  result.bytes.fill(seed);
  return result;
}

/// A small gateway, whole.
KernelState gateway() {
  KernelState state;
  state.vpns["wg0"] = {.name = "wg0"};
  state.vlans["eth1.20"] = {.name = "eth1.20", .parent = "eth1", .vlan = 20};
  state.addresses = {{"wg0", ip("172.16.201.1"), 24}, {"eth1.20", ip("10.1.2.1"), 24}};
  state.routes = {{prefix("192.168.50.0/24"), std::nullopt, "wg0"}};
  state.wireguard = {.device = "wg0",
                     .public_key = key(1),
                     .listen_port = 51820,
                     .peers = {{key(2), {.allowed_ips = {prefix("172.16.201.4/32")}}}}};
  state.policy.fingerprint = "image";
  state.policy.hosts[ip("172.16.201.4")] = {.class_id = 7, .client = 1, .flags = GW_HOST_CLIENT};
  state.policy.links = {{"wg0", {.link = 1, .flags = GW_LINK_VPN}}, {"eth1.20", {.link = 2}}};
  state.attachments = {{"wg0", Hook::vpn_ingress}, {"wg0", Hook::vpn_egress}, {"eth1.20", Hook::subnet_ingress}};
  state.firewall.fingerprint = "frame";
  state.sysctls = {{"net.ipv4.ip_forward", "1"}, {"net.ipv4.conf.wg0.rp_filter", "2"}};
  return state;
}

std::vector<std::string> lines(const KernelState& desired, const KernelState& observed) {
  std::vector<std::string> result;
  for (const Operation& operation : diff(desired, observed)) result.push_back(describe(operation));
  return result;
}

size_t position(const std::vector<std::string>& all, const std::string& line) {
  const auto found = std::ranges::find(all, line);
  EXPECT_NE(found, all.end()) << line;
  return static_cast<size_t>(found - all.begin());
}

TEST(Diff, IsEmptyWhenAllIsAsWanted) { EXPECT_THAT(lines(gateway(), gateway()), IsEmpty()); }

TEST(Diff, BuildsAnEmptyHostFromTheFrameToForwarding) {
  EXPECT_THAT(
      lines(gateway(), {}),
      ElementsAre("+ link wg0 (WireGuard)", "~ link wg0: MTU 1420", "+ link eth1.20 (VLAN 20 of eth1)",
                  "~ firewall frame (nftables)", "~ policy (all tables)", "~ policy: interface eth1.20 (link 2)",
                  "~ policy: interface wg0 (link 1)", "+ program policy ingress on eth1.20",
                  "+ program policy ingress on wg0", "+ program policy egress on wg0",
                  "~ sysctl net.ipv4.conf.wg0.rp_filter = 2", "+ address 10.1.2.1/24 on eth1.20",
                  "+ address 172.16.201.1/24 on wg0", "~ private key, ~ listen port 51820 on wg0",
                  "+ peer AgICAgIC… (172.16.201.4/32) on wg0", "~ link wg0: up", "~ link eth1.20: up",
                  "+ route 192.168.50.0/24 on wg0", "~ sysctl net.ipv4.ip_forward = 1"));
}

TEST(Diff, TakesDownWhatIsNotWantedInReverse) {
  EXPECT_THAT(
      lines({}, gateway()),
      ElementsAre("- policy: host 172.16.201.4", "~ policy: generation (open flows are judged again)", "- link wg0",
                  "- route 192.168.50.0/24 on wg0", "- address 10.1.2.1/24 on eth1.20",
                  "- address 172.16.201.1/24 on wg0", "- program policy ingress on eth1.20",
                  "- program policy ingress on wg0", "- program policy egress on wg0", "- policy: interface eth1.20",
                  "- policy: interface wg0", "- link eth1.20", "- firewall frame (nftables)"));
}

TEST(Diff, InstallsAnImageInsteadOfSingleHosts) {
  KernelState desired = gateway();
  desired.policy.fingerprint = "other";
  desired.policy.hosts[ip("172.16.201.5")] = {.class_id = 8, .client = 2, .flags = GW_HOST_CLIENT};
  EXPECT_THAT(lines(desired, gateway()), ElementsAre("~ policy (all tables)"));
}

TEST(Diff, AddsAHostWithoutJudgingOpenFlowsAgain) {
  KernelState desired = gateway();
  desired.policy.hosts[ip("172.16.201.5")] = {.class_id = 8, .client = 2, .flags = GW_HOST_CLIENT};
  EXPECT_THAT(lines(desired, gateway()), ElementsAre("~ policy: host 172.16.201.5 (client 2)"));
}

TEST(Diff, JudgesOpenFlowsAgainOnceAfterHostsChangedOrWent) {
  KernelState desired = gateway();
  desired.policy.hosts.clear();
  desired.policy.hosts[ip("172.16.201.1")] = {.class_id = 3, .flags = GW_HOST_GATEWAY};
  KernelState observed = gateway();
  observed.policy.hosts[ip("172.16.201.1")] = {.class_id = 2, .flags = GW_HOST_GATEWAY};
  EXPECT_THAT(lines(desired, observed),
              ElementsAre("- policy: host 172.16.201.4", "~ policy: host 172.16.201.1 (gateway)",
                          "~ policy: generation (open flows are judged again)"));
}

TEST(Diff, ChangesTheEndOfAccessOfAHost) {
  KernelState desired = gateway();
  desired.policy.hosts[ip("172.16.201.4")].valid_until_ns = 5;
  EXPECT_THAT(lines(desired, gateway()), ElementsAre("~ policy: host 172.16.201.4 (client 1)",
                                                     "~ policy: generation (open flows are judged again)"));
}

TEST(Diff, RevokesInTheOrderHostGenerationPeer) {
  KernelState desired = gateway();
  desired.policy.hosts.clear();
  desired.wireguard.peers.clear();
  EXPECT_THAT(lines(desired, gateway()),
              ElementsAre("- policy: host 172.16.201.4", "~ policy: generation (open flows are judged again)",
                          "- peer AgICAgIC… on wg0"));
}

TEST(Diff, RemovesPeersBeforeTheirAllowedAddressesGoToAnother) {
  KernelState desired = gateway();
  desired.wireguard.peers = {{key(3), {.allowed_ips = {prefix("172.16.201.4/32")}}}};
  EXPECT_THAT(lines(desired, gateway()),
              ElementsAre("- peer AgICAgIC… on wg0", "+ peer AwMDAwMD… (172.16.201.4/32) on wg0"));
}

TEST(Diff, ChangesOnePeerAndLeavesTheOthersAlone) {
  KernelState desired = gateway();
  desired.wireguard.peers[key(3)] = {.allowed_ips = {prefix("172.16.201.5/32")}};
  KernelState observed = desired;
  desired.wireguard.peers[key(3)].keepalive = 25;
  const Plan plan = diff(desired, observed);
  ASSERT_EQ(plan.size(), 1U);
  const auto& change = std::get<ChangeWireGuard>(plan[0]);
  EXPECT_EQ(change.change, (std::map<PublicKey, Peer>{{key(3), desired.wireguard.peers[key(3)]}}));
  EXPECT_TRUE(change.add.empty() && change.remove.empty() && !change.set_key && !change.listen_port);
}

TEST(Diff, MovesTheVpnToANewNameByDeletingTheOldDeviceBeforeTheNewComesUp) {
  KernelState desired = gateway();
  desired.vpns = {{"wg1", {.name = "wg1"}}};
  desired.wireguard.device = "wg1";
  const auto all = lines(desired, gateway());
  EXPECT_LT(position(all, "+ link wg1 (WireGuard)"), position(all, "- link wg0"));
  EXPECT_LT(position(all, "- link wg0"), position(all, "~ private key, ~ listen port 51820 on wg1"));
  EXPECT_LT(position(all, "+ peer AgICAgIC… (172.16.201.4/32) on wg1"), position(all, "~ link wg1: up"));
}

TEST(Diff, AddsANewAddressBeforeItRemovesTheOldOne) {
  KernelState desired = gateway();
  desired.addresses.erase({"eth1.20", ip("10.1.2.1"), 24});
  desired.addresses.insert({"eth1.20", ip("10.9.2.1"), 24});
  EXPECT_THAT(lines(desired, gateway()),
              ElementsAre("+ address 10.9.2.1/24 on eth1.20", "- address 10.1.2.1/24 on eth1.20"));
}

TEST(Diff, RemovesAnAddressFirstThatWouldMakeTheNewOneItsSecondary) {
  KernelState desired = gateway();
  desired.addresses.erase({"eth1.20", ip("10.1.2.1"), 24});
  desired.addresses.insert({"eth1.20", ip("10.1.2.2"), 24});
  EXPECT_THAT(lines(desired, gateway()),
              ElementsAre("- address 10.1.2.1/24 on eth1.20", "+ address 10.1.2.2/24 on eth1.20"));
}

TEST(Diff, RemovesTheOldRouteOfTheSameDestinationFirst) {
  KernelState desired = gateway();
  desired.routes = {{prefix("192.168.50.0/24"), ip("10.1.2.9"), "eth1.20"}};
  EXPECT_THAT(lines(desired, gateway()),
              ElementsAre("- route 192.168.50.0/24 on wg0", "+ route 192.168.50.0/24 via 10.1.2.9 on eth1.20"));
}

TEST(Diff, ReplacesAVlanDeviceOfAnotherParent) {
  KernelState observed = gateway();
  observed.vlans["eth1.20"].parent = "eth2";
  const auto all = lines(gateway(), observed);
  EXPECT_THAT(all, ElementsAre("- link eth1.20", "+ link eth1.20 (VLAN 20 of eth1)"));
}

TEST(Diff, RestoresAnEditedFrame) {
  KernelState observed = gateway();
  observed.firewall.fingerprint = "edited";
  EXPECT_THAT(lines(gateway(), observed), ElementsAre("~ firewall frame (nftables)"));
}

TEST(Diff, ErasesALinkEntryWhoseDeviceIsGone) {
  KernelState observed = gateway();
  observed.policy.links["ifindex 7"] = {.link = 4};
  EXPECT_THAT(lines(gateway(), observed), ElementsAre("- policy: interface ifindex 7"));
}

TEST(DeviceOf, FindsTheDeviceInASysctl) {
  EXPECT_EQ(device_of(SetSysctl{"net.ipv4.conf.eth1/20.rp_filter", "2"}), "eth1.20");
  EXPECT_EQ(device_of(SetSysctl{"net.ipv4.conf.all.send_redirects", "0"}), "");
  EXPECT_EQ(device_of(SetSysctl{"net.ipv4.ip_forward", "1"}), "");
}

/// States with random parts missing or changed, for what must hold of any two.
class RandomState {
 public:
  explicit RandomState(uint32_t seed) : random_(seed) {}

  KernelState next() {
    KernelState state = gateway();
    if (chance()) state.vpns.begin()->second.up = false;
    if (chance()) state.vpns.clear();
    if (chance()) state.vlans.clear();
    if (chance()) state.addresses.clear();
    if (chance()) state.addresses.insert({"eth1.20", ip("10.1.2.3"), 24});
    if (chance()) state.routes.clear();
    if (chance()) state.wireguard = {};
    if (chance()) state.wireguard.peers[key(9)] = {.allowed_ips = {prefix("172.16.201.9/32")}};
    if (chance()) state.policy.fingerprint = "other";
    if (chance()) state.policy.hosts.clear();
    if (chance()) state.policy.links.clear();
    if (chance()) state.attachments.clear();
    if (chance()) state.firewall.fingerprint.clear();
    if (chance()) state.sysctls["net.ipv4.ip_forward"] = "0";
    return state;
  }

 private:
  bool chance() { return random_() % 3 == 0; }
  std::mt19937 random_;
};

template <class Kind>
std::vector<size_t> places(const Plan& plan) {
  std::vector<size_t> result;
  for (size_t i = 0; i < plan.size(); ++i) {
    if (std::holds_alternative<Kind>(plan[i])) result.push_back(i);
  }
  return result;
}

template <class First, class Then>
void expect_order(const Plan& plan) {
  const auto first = places<First>(plan);
  const auto then = places<Then>(plan);
  if (first.empty() || then.empty()) return;
  EXPECT_LT(first.back(), then.front());
}

TEST(Diff, KeepsItsOrderForAnyTwoStates) {
  RandomState random(20240917);
  for (int i = 0; i < 5000; ++i) {
    const KernelState desired = random.next();
    const Plan plan = diff(desired, random.next());
    ASSERT_THAT(lines(desired, desired), IsEmpty());
    expect_order<LoadFirewall, plan::SetUp>(plan);
    expect_order<InstallPolicy, plan::SetUp>(plan);
    expect_order<InstallPolicy, Attach>(plan);
    expect_order<PutLinkEntry, Attach>(plan);
    expect_order<Attach, plan::SetUp>(plan);
    expect_order<ChangeWireGuard, plan::SetUp>(plan);
    expect_order<EraseHost, BumpGeneration>(plan);
    expect_order<PutHost, BumpGeneration>(plan);
    expect_order<BumpGeneration, ChangeWireGuard>(plan);
    expect_order<plan::SetUp, AddRoute>(plan);
    expect_order<AddRoute, Detach>(plan);
    expect_order<Detach, EraseLinkEntry>(plan);
    for (size_t at = 0; at < plan.size(); ++at) {
      const auto* sysctl = std::get_if<SetSysctl>(&plan[at]);
      EXPECT_TRUE(sysctl == nullptr || !is_forwarding(sysctl->name) || at == plan.size() - 1);
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace gw::plan
