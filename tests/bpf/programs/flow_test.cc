// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

/// The standard rules with one thing changed: web's SSH is closed to alice.
bpf::PolicyImage without_ssh() {
  return standard_rules().rule(kAlice, kWeb, GW_KIND_TCP, 22, kNoRule).build("without ssh");
}

const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22);

/// An SSH session that both sides have spoken in.
void open_session(LoadedPolicy& policy) {
  ASSERT_EQ(policy.vpn(kSsh), kAllowed);
  ASSERT_EQ(policy.web(kSsh.reply()), kAllowed);
  ASSERT_EQ(policy.vpn(kSsh.with(kAck)), kAllowed);
}

TEST(Flow, LetsRepliesThroughAndNothingElseBack) {
  auto* const policy = LoadedPolicy::standard();
  const Packet query = ipv4(kAliceV4, kWebV4) / udp(53);
  EXPECT_EQ(policy->web(query.reply()), dropped(GW_REASON_DEFAULT)) << "an answer before its question";
  EXPECT_EQ(policy->vpn(query), kAllowed);
  EXPECT_EQ(policy->web(query.reply()), kAllowed);
  EXPECT_EQ(policy->web(ipv4(kWebV4, kAliceV4) / udp(40001).from(53)), dropped(GW_REASON_DEFAULT)) << "other port";
  EXPECT_EQ(policy->web(ipv4("10.1.1.8", kAliceV4) / udp(40000).from(53)), dropped(GW_REASON_DEFAULT)) << "other host";
  EXPECT_EQ(policy->web(ipv4(kWebV4, kAliceV4) / tcp(40000).from(53).with(kAck)), dropped(GW_REASON_DEFAULT));
  open_session(*policy);
  const Packet six = ipv6(kAliceV6, kWebV6) / tcp(443);
  EXPECT_EQ(policy->vpn(six), kAllowed);
  EXPECT_EQ(policy->web(six.reply()), kAllowed);
}

TEST(Flow, MovesToTheEstablishedOnesWithItsFirstReply) {
  auto* const policy = LoadedPolicy::standard();
  ASSERT_EQ(policy->vpn(kSsh), kAllowed);
  EXPECT_FALSE(policy->established(kSsh));
  ASSERT_EQ(policy->web(kSsh.reply()), kAllowed);
  EXPECT_TRUE(policy->established(kSsh));
  EXPECT_EQ(policy->flows(), 1U) << "in one of the two maps only";
}

TEST(Flow, SurvivesAFloodOfNewOnes) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  const Entry vpn{.hook = bpf::Hook::vpn_ingress, .device = Device::vpn};
  policy->edit_state([](gw_state& state) { state.flow_rate = 0; });
  for (uint32_t i = 0; i < GW_MAX_NEW_FLOWS * 3 / 2; ++i) {
    const IpHeader to{IpAddress::parse(kAliceV4).value(), {Family::v4, {8, 8, static_cast<uint8_t>(i >> 14U), 8}}};
    policy->run_fast((to / udp(static_cast<uint16_t>(1 + (i & 0x3fffU)))).layer3(), vpn);
  }
  EXPECT_TRUE(policy->established(kSsh));
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), kAllowed);
}

TEST(Flow, OfAnEchoAnswersOnlyItsAsker) {
  auto* const policy = LoadedPolicy::standard();
  const Packet echo = ipv4(kAliceV4, kWebV4) / icmp(8, 0, 99);
  EXPECT_EQ(policy->web(echo.reply()), dropped(GW_REASON_DEFAULT)) << "nobody asked";
  EXPECT_EQ(policy->vpn(echo), kAllowed);
  EXPECT_EQ(policy->web(echo.reply()), kAllowed);
  EXPECT_EQ(policy->web(ipv4(kWebV4, kAliceV4) / icmp(8, 0, 99)), dropped(GW_REASON_DEFAULT))
      << "the other side's own question under the same identifier";
  EXPECT_EQ(policy->web(ipv4(kWebV4, kAliceV4) / icmp(0, 0, 98)), dropped(GW_REASON_DEFAULT)) << "other identifier";
  const Packet six = ipv6(kAliceV6, kWebV6) / icmp(128, 0, 99);
  EXPECT_EQ(policy->vpn(six), kAllowed);
  EXPECT_EQ(policy->web(six.reply()), kAllowed);
}

TEST(Flow, OfAnUnaskedAnswerOpensNoWayBack) {
  auto* const policy = LoadedPolicy::standard();
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / icmp(0, 0, 5)), kAllowed) << "the rule says any ICMP";
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / icmp(0, 0, 5)), kAllowed);
  EXPECT_EQ(policy->web(ipv4(kWebV4, kAliceV4) / icmp(8, 0, 5)), dropped(GW_REASON_DEFAULT));
}

TEST(Flow, SynOfTheAnsweringSideIsANewFlow) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  EXPECT_EQ(policy->web(kSsh.reply(kSyn)), dropped(GW_REASON_DEFAULT));
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), kAllowed) << "the open one is left alone";
}

TEST(Flow, StaleButStillAllowedGoesOnInEitherDirection) {
  for (const bool reply_first : {false, true}) {
    auto* const policy = LoadedPolicy::standard();
    open_session(*policy);
    policy->install(standard_image(), standard_hosts());
    const uint64_t word = policy->dataplane().generation() << 1U;
    EXPECT_NE(policy->flow(kSsh)->word & ~1ULL, word);
    EXPECT_EQ(reply_first ? policy->web(kSsh.reply(kAck)) : policy->vpn(kSsh.with(kAck)), kAllowed);
    EXPECT_EQ(policy->flow(kSsh)->word & ~1ULL, word) << "made current";
    EXPECT_TRUE(policy->established(kSsh));
  }
}

TEST(Flow, StaleAndNoLongerAllowedEndsInEitherDirection) {
  for (const bool reply_first : {false, true}) {
    auto* const policy = LoadedPolicy::standard();
    open_session(*policy);
    policy->install(without_ssh(), standard_hosts());
    if (reply_first) {
      EXPECT_EQ(policy->web(kSsh.reply(kAck)), dropped(GW_REASON_DEFAULT));
    }
    EXPECT_EQ(policy->vpn(kSsh.with(kAck)), dropped(GW_REASON_DEFAULT));
    EXPECT_EQ(policy->web(kSsh.reply(kAck)), dropped(GW_REASON_DEFAULT));
    EXPECT_FALSE(policy->flow(kSsh).has_value()) << "deleted";
  }
}

TEST(Flow, StaleThatIsNowRejectedIsTold) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  policy->install(standard_rules().rule(kAlice, kWeb, GW_KIND_TCP, 22, reject(9)).build("reject"), standard_hosts());
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), kRejected);
}

TEST(Flow, OpensInTheSlotThatIsActiveAndFollowsTwoSwaps) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  policy->install(standard_image(), standard_hosts());
  policy->install(standard_image(), standard_hosts());
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), kAllowed);
  policy->install(without_ssh(), standard_hosts());
  policy->install(standard_image(), standard_hosts());
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), kAllowed) << "no packet met the policy between";
}

TEST(Flow, OfARevokedClientEndsWithTheNextPacket) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  ASSERT_TRUE(policy->dataplane().erase_host(IpAddress::parse(kAliceV4).value()));
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), dropped(GW_REASON_UNASSIGNED));
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), dropped(GW_REASON_UNASSIGNED));
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kGatewayV4) / tcp(22)), dropped(GW_REASON_UNASSIGNED)) << "nor the gateway";
}

TEST(Flow, EndsAtTheSecondItsClientDoes) {
  auto* const policy = LoadedPolicy::standard();
  const IpAddress alice = IpAddress::parse(kAliceV4).value();
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const uint64_t wall = static_cast<uint64_t>(now.tv_sec) * kSecond;
  ASSERT_TRUE(policy->dataplane().put_host(alice, {kAlice, 1, GW_HOST_CLIENT, wall + 3600 * kSecond}));
  open_session(*policy);
  EXPECT_EQ(policy->flow(kSsh)->valid_until_ns, wall + 3600 * kSecond);

  // The wall clock of the programs, moved to either side of the end.
  policy->edit_state([](gw_state& state) { state.wall_offset_ns += static_cast<int64_t>(3590 * kSecond); });
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), kAllowed);
  policy->edit_state([](gw_state& state) { state.wall_offset_ns += static_cast<int64_t>(11 * kSecond); });
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), dropped(GW_REASON_EXPIRED));
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), dropped(GW_REASON_EXPIRED));
  EXPECT_EQ(policy->vpn(kSsh), dropped(GW_REASON_EXPIRED));

  ASSERT_TRUE(policy->dataplane().put_host(alice, {kAlice, 1, GW_HOST_CLIENT, wall + 7200 * kSecond}));
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), kAllowed) << "renewed: mid-stream from the side that a rule allows";
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), kAllowed);
}

TEST(Flow, IsSourceCheckedAgainOnAnotherInterface) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  const Entry data{.hook = bpf::Hook::subnet_ingress, .device = Device::data};
  EXPECT_EQ(policy->run(kSsh.reply(kAck).ethernet(), data), dropped(GW_REASON_SOURCE)) << "web's reply from data";
  EXPECT_EQ(policy->run(kSsh.with(kAck).ethernet(), data), dropped(GW_REASON_SOURCE)) << "alice's packet from data";
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), kAllowed) << "and neither harmed the flow";
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), kAllowed);
}

TEST(Flow, MarksMasqueradedOnesBothWays) {
  auto* const policy = LoadedPolicy::standard();
  const Packet query = ipv4(kAliceV4, "8.8.8.8") / udp(53);
  EXPECT_EQ(policy->vpn(query), kTracked);
  EXPECT_EQ(policy->vpn(query), kTracked);
  EXPECT_EQ(policy->egress(query.reply(), Device::uplink), kUnmarked) << "translated back by the stack";
}

struct Idle {
  const char* description;
  Packet packet;
  uint64_t idle_s;
  bool replied;
  uint8_t closing;  // TCP flags that each side sent last
  bool open;
};

TEST(Flow, IsForgottenWhenIdleForItsKind) {
  const Packet dns = ipv4(kAliceV4, kWebV4) / udp(53);
  const Idle rows[] = {
      {"UDP", dns, 170, true, 0, true},
      {"UDP past its time", dns, 190, true, 0, false},
      {"TCP that nobody answered", kSsh, 190, false, 0, false},
      {"established TCP after four days", kSsh, 4 * 86400, true, 0, true},
      {"established TCP after six days", kSsh, 6 * 86400, true, 0, false},
      {"half-closed TCP", kSsh, 600, true, 0xff, true},
      {"closed TCP at once", kSsh, 50, true, kFin, true},
      {"closed TCP", kSsh, 70, true, kFin, false},
      {"reset TCP", kSsh, 70, true, kRst, false},
  };
  for (const Idle& row : rows) {
    auto* const policy = LoadedPolicy::standard();
    ASSERT_EQ(policy->vpn(row.packet), kAllowed) << row.description;
    if (row.replied) {
      ASSERT_EQ(policy->web(row.packet.reply()), kAllowed) << row.description;
    }
    if (row.closing == 0xff) policy->vpn(row.packet.with(kFin | kAck));
    if (row.closing != 0 && row.closing != 0xff) {
      policy->vpn(row.packet.with(row.closing | kAck));
      policy->web(row.packet.reply(row.closing | kAck));
    }
    policy->edit_flow(row.packet, [&](gw_flow& flow) { flow.last_seen_ns -= row.idle_s * kSecond; });
    EXPECT_EQ(policy->web(row.packet.reply(kAck)), row.open ? kAllowed : dropped(GW_REASON_DEFAULT)) << row.description;
  }
}

TEST(Flow, ReopensOnTheSamePortsAfterItsEnd) {
  auto* const policy = LoadedPolicy::standard();
  open_session(*policy);
  policy->vpn(kSsh.with(kRst));
  EXPECT_EQ(policy->vpn(kSsh), kAllowed);
  EXPECT_EQ(policy->flow(kSsh)->flags & (GW_FLOW_RESET | GW_FLOW_REPLIED), 0U) << "a new flow";
  EXPECT_EQ(policy->flows(), 1U);
  EXPECT_EQ(policy->web(kSsh.reply()), kAllowed);
}

TEST(Flow, SessionsOfTheAllowedSideComeBackAfterARestartOfTheTables) {
  auto* const policy = LoadedPolicy::standard();
  EXPECT_EQ(policy->vpn(kSsh.with(kAck)), kAllowed) << "mid-stream";
  EXPECT_EQ(policy->web(kSsh.reply(kAck)), kAllowed);
}

TEST(NewFlows, AreLimitedBySourceAddress) {
  auto* const policy = LoadedPolicy::standard();
  policy->edit_state([](gw_state& state) { state.flow_rate = 2; });
  int opened = 0;
  for (uint16_t i = 0; i < 20; ++i) opened += policy->vpn(ipv4(kAliceV4, kWebV4) / udp(53).from(i)).passed ? 1 : 0;
  EXPECT_GE(opened, 2);
  EXPECT_LT(opened, 10) << "a second ahead, and what the test took";
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / udp(53).from(20)), dropped(GW_REASON_RATE));
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / udp(53).from(0)), kAllowed) << "open flows are not new";
  EXPECT_EQ(policy->web(ipv4(kWebV4, kDataV4) / tcp(5432)), kAllowed) << "nor is anyone else held up";
  EXPECT_EQ(policy->vpn(ipv4(kBobV4, kWebV4) / tcp(22)), kRejected);
}

}  // namespace
}  // namespace gw::test
