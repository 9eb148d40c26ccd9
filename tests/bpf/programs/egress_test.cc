// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22);

TEST(VpnEgress, PassesWhatTheGatewayMadeItself) {
  auto* const policy = LoadedPolicy::standard();
  const Entry own{.hook = bpf::Hook::vpn_egress, .device = Device::vpn, .own = true};
  EXPECT_EQ(policy->run((ipv4("172.16.201.1", kAliceV4) / tcp(22)).layer3(), own), kUnmarked);
}

TEST(VpnEgress, PassesOnlyPacketsOfOpenFlows) {
  auto* const policy = LoadedPolicy::standard();
  EXPECT_EQ(policy->egress(kSsh.reply()), dropped(GW_REASON_NO_FLOW));
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  ASSERT_EQ(policy->web(kSsh.reply()), kAllowed);
  EXPECT_EQ(policy->egress(kSsh.reply()), kUnmarked);
  EXPECT_EQ(policy->egress(ipv4(kWebV4, kAliceV4) / tcp(40001).from(22).with(kAck)), dropped(GW_REASON_NO_FLOW));
  EXPECT_EQ(policy->egress(ipv4(kWebV4, "224.0.0.251") / udp(5353)), dropped(GW_REASON_NEVER_FORWARDED));
}

TEST(VpnEgress, LeavesTheMarkAsItIs) {
  auto* const policy = LoadedPolicy::standard();
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  const Entry marked{
      .hook = bpf::Hook::vpn_egress, .device = Device::vpn, .mark = GW_MARK_ALLOW, .entered = Device::web};
  EXPECT_EQ(policy->run(kSsh.reply().layer3(), marked), kAllowed);
}

TEST(VpnEgress, JudgesStaleFlowsByTheCurrentRules) {
  auto* const policy = LoadedPolicy::standard();
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  ASSERT_TRUE(policy->dataplane().bump_generation());
  EXPECT_EQ(policy->egress(kSsh.reply(kAck)), kUnmarked);
  EXPECT_EQ(policy->flow(kSsh)->word >> 1U, policy->dataplane().generation());
  policy->install(standard_rules().rule(kAlice, kWeb, GW_KIND_TCP, 22, kNoRule).build("closed"), standard_hosts());
  EXPECT_EQ(policy->egress(kSsh.reply(kAck)), dropped(GW_REASON_DEFAULT));
  EXPECT_EQ(policy->egress(kSsh.reply(kAck)), dropped(GW_REASON_NO_FLOW)) << "the flow is gone";
}

TEST(VpnEgress, CountsAnswersThatWereTranslated) {
  auto* const policy = LoadedPolicy::standard();
  const Packet query = ipv4(kAliceV4, "8.8.8.8") / udp(53);
  ASSERT_EQ(policy->vpn(query), kTracked);
  ASSERT_EQ(policy->egress(query.reply(), Device::uplink), kUnmarked);
  EXPECT_TRUE(policy->established(query)) << "seen both ways";
  EXPECT_EQ(policy->dataplane().rule_counter(5)->packets, 2U);
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  ASSERT_EQ(policy->web(kSsh.reply()), kAllowed);
  ASSERT_EQ(policy->egress(kSsh.reply()), kUnmarked);
  EXPECT_EQ(policy->dataplane().rule_counter(1)->packets, 2U) << "others were counted at ingress";
}

TEST(IcmpError, OfAnOpenFlowPassesWhoeverSendsIt) {
  auto* const policy = LoadedPolicy::standard();
  const Packet error = icmp_error("10.1.1.254", kSsh, 3, 4);
  EXPECT_EQ(policy->web(error), dropped(GW_REASON_DEFAULT)) << "no flow yet";
  EXPECT_EQ(policy->egress(error), dropped(GW_REASON_NO_FLOW));
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  EXPECT_EQ(policy->web(error), kAllowed);
  EXPECT_EQ(policy->web(icmp_error("192.0.2.99", kSsh, 11, 0)), kAllowed) << "a router of no subnet of ours";
  EXPECT_EQ(policy->egress(error), kUnmarked);
  EXPECT_EQ(policy->vpn(icmp_error(kAliceV4, kSsh.reply(), 3, 3)), kAllowed) << "of a reply, by the client";

  const Packet six = ipv6(kAliceV6, kWebV6) / tcp(443);
  EXPECT_EQ(policy->web(icmp_error("fd10:1:1::fe", six, 2, 0)), dropped(GW_REASON_DEFAULT));
  ASSERT_EQ(policy->vpn(six), kAllowed);
  EXPECT_EQ(policy->web(icmp_error("fd10:1:1::fe", six, 2, 0)), kAllowed) << "packet too big";
}

TEST(IcmpError, CoversNothingButErrorsForTheSender) {
  auto* const policy = LoadedPolicy::standard();
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  EXPECT_EQ(policy->web(icmp_error("10.1.1.254", kSsh, 5, 1)), dropped(GW_REASON_DEFAULT)) << "a redirect";
  EXPECT_EQ(policy->web(icmp_error("10.1.1.254", kSsh, 8, 0)), dropped(GW_REASON_DEFAULT)) << "an echo";
  Packet to_bob = icmp_error("10.1.1.254", kSsh, 3, 3);
  to_bob.ip.destination = IpAddress::parse(kBobV4).value();
  EXPECT_EQ(policy->web(to_bob), dropped(GW_REASON_DEFAULT)) << "to another than who sent the quoted packet";
  Packet cut = icmp_error("10.1.1.254", kSsh, 3, 3);
  cut.transport.payload.resize(22);
  EXPECT_EQ(policy->web(cut), dropped(GW_REASON_DEFAULT)) << "quotes too little";
}

TEST(IcmpError, OfAFlowThatIsNoLongerAllowedIsDropped) {
  auto* const policy = LoadedPolicy::standard();
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  ASSERT_TRUE(policy->dataplane().bump_generation());
  EXPECT_EQ(policy->web(icmp_error("192.0.2.99", kSsh, 3, 4)), kAllowed) << "stale but allowed";
  policy->install(standard_rules().rule(kAlice, kWeb, GW_KIND_TCP, 22, kNoRule).build("closed"), standard_hosts());
  EXPECT_EQ(policy->web(icmp_error("192.0.2.99", kSsh, 3, 4)), dropped(GW_REASON_SOURCE));
}

}  // namespace
}  // namespace gw::test
