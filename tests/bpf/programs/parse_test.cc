// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <functional>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

constexpr Entry kVpn{.hook = bpf::Hook::vpn_ingress, .device = Device::vpn};
constexpr Entry kWebIn{.hook = bpf::Hook::subnet_ingress, .device = Device::web};

Packet big_dns() { return ipv4(kAliceV4, kWebV4) / udp(53).carrying(Bytes(100)); }

TEST(Fragments, FollowTheirFirst) {
  auto* const policy = LoadedPolicy::standard();
  const auto [first, later] = fragments(big_dns(), 64, 1234);
  EXPECT_EQ(policy->run(later, kVpn), dropped(GW_REASON_FRAGMENT)) << "before its first";
  EXPECT_EQ(policy->run(first, kVpn), kAllowed);
  EXPECT_EQ(policy->run(later, kVpn), kAllowed);
  EXPECT_EQ(policy->run(fragments(big_dns(), 64, 1235).second, kVpn), dropped(GW_REASON_FRAGMENT)) << "another one's";
  EXPECT_EQ(policy->dataplane().rule_counter(1)->packets, 2U);
}

TEST(Fragments, OfADeniedDatagramAreAllDropped) {
  auto* const policy = LoadedPolicy::standard();
  const auto [first, later] = fragments(ipv4(kAliceV4, kWebV4) / udp(54).carrying(Bytes(100)), 64, 9);
  EXPECT_EQ(policy->run(first, kVpn), dropped(GW_REASON_DEFAULT));
  EXPECT_EQ(policy->run(later, kVpn), dropped(GW_REASON_FRAGMENT));
}

TEST(Fragments, OfIpv6FollowTheirFirst) {
  auto* const policy = LoadedPolicy::standard();
  const auto [first, later] = fragments(ipv6(kAliceV6, kWebV6) / udp(53).carrying(Bytes(100)), 64, 77);
  EXPECT_EQ(policy->run(later, kVpn), dropped(GW_REASON_FRAGMENT));
  EXPECT_EQ(policy->run(first, kVpn), kAllowed);
  EXPECT_EQ(policy->run(later, kVpn), kAllowed);
}

TEST(Fragments, DoNotOutliveAPolicyOrChangeTheInterface) {
  auto* const policy = LoadedPolicy::standard();
  const auto [first, later] = fragments(big_dns(), 64, 1);
  ASSERT_EQ(policy->run(first, kVpn), kAllowed);
  EXPECT_EQ(policy->run(framed(later), kWebIn), dropped(GW_REASON_FRAGMENT)) << "from another interface";
  ASSERT_TRUE(policy->dataplane().bump_generation());
  EXPECT_EQ(policy->run(later, kVpn), dropped(GW_REASON_FRAGMENT));
}

TEST(Fragments, ThatCutOrRewriteHeadersAreDropped) {
  auto* const policy = LoadedPolicy::standard();
  const Packet ssh = ipv4(kAliceV4, kWebV4) / tcp(22).carrying(Bytes(64));
  EXPECT_EQ(policy->run(fragments(ssh, 8, 2).first, kVpn), dropped(GW_REASON_FRAGMENT)) << "RFC 1858: tiny";
  ASSERT_EQ(policy->run(fragments(ssh, 24, 3).first, kVpn), kAllowed);
  EXPECT_EQ(policy->run(fragments(ssh, 8, 3).second, kVpn), dropped(GW_REASON_FRAGMENT)) << "RFC 3128: offset 8";
  EXPECT_EQ(policy->run(fragments(ssh, 24, 3).second, kVpn), kAllowed);
}

TEST(Fragments, GoOutWithTheirFlow) {
  auto* const policy = LoadedPolicy::standard();
  ASSERT_EQ(policy->vpn(big_dns()), kAllowed);
  const Entry out{.hook = bpf::Hook::vpn_egress, .device = Device::vpn, .entered = Device::web};
  const auto [first, later] = fragments(big_dns().reply(), 64, 5);
  EXPECT_EQ(policy->run(later, out), dropped(GW_REASON_FRAGMENT));
  EXPECT_EQ(policy->run(first, out), kUnmarked);
  EXPECT_EQ(policy->run(later, out), kUnmarked);
  EXPECT_EQ(policy->run(fragments(ipv4(kWebV4, kAliceV4) / udp(1).carrying(Bytes(100)), 64, 6).first, out),
            dropped(GW_REASON_NO_FLOW));
}

TEST(Fragments, ToTheGatewayPassUnmarkedWithTheirFirst) {
  auto* const policy = LoadedPolicy::standard();
  const auto [first, later] = fragments(ipv4("8.8.8.8", "203.0.113.1") / udp(500).carrying(Bytes(100)), 64, 5);
  const Entry uplink{.hook = bpf::Hook::subnet_ingress, .device = Device::uplink};
  EXPECT_EQ(policy->run(framed(first), uplink), kUnmarked);
  EXPECT_EQ(policy->run(framed(later), uplink), kUnmarked);
}

struct Spoiled {
  const char* description;
  std::function<void(Bytes&)> spoil;
  gw_reason reason;
};

TEST(Malformed, Ipv4IsDropped) {
  auto* const policy = LoadedPolicy::standard();
  const Bytes good = (ipv4(kAliceV4, kWebV4) / tcp(22)).layer3();
  ASSERT_EQ(policy->run(good, kVpn), kAllowed);
  const Spoiled rows[] = {
      {"a family that is none", [](Bytes& b) { b[0] = 0x55; }, GW_REASON_PROTOCOL},
      {"a header shorter than it can be", [](Bytes& b) { b[0] = 0x44; }, GW_REASON_MALFORMED},
      {"a header longer than the packet", [](Bytes& b) { b[0] = 0x4f; }, GW_REASON_MALFORMED},
      {"more bytes than arrived", [](Bytes& b) { b[3] = 41; }, GW_REASON_MALFORMED},
      {"fewer bytes than the header", [](Bytes& b) { b[3] = 19; }, GW_REASON_MALFORMED},
      {"no length at all", [](Bytes& b) { b[3] = 0; }, GW_REASON_MALFORMED},
      {"half a TCP header", [](Bytes& b) { b[3] = 32; }, GW_REASON_MALFORMED},
      {"a TCP header length of 4", [](Bytes& b) { b[32] = 0x40; }, GW_REASON_MALFORMED},
      {"ICMPv6 in IPv4", [](Bytes& b) { b[9] = IPPROTO_ICMPV6; }, GW_REASON_MALFORMED},
      {"half an IP header", [](Bytes& b) { b.resize(18); }, GW_REASON_MALFORMED},
  };
  for (const Spoiled& row : rows) {
    Bytes bad = good;
    row.spoil(bad);
    EXPECT_EQ(policy->run(bad, kVpn), dropped(row.reason)) << row.description;
  }
  Bytes padded = good;
  padded.resize(60);
  EXPECT_EQ(policy->run(padded, kVpn), kAllowed) << "Ethernet pads short frames";
}

TEST(Ipv6, FollowsExtensionHeadersUpToALimit) {
  auto* const policy = LoadedPolicy::standard();
  const Packet good = ipv6(kAliceV6, kWebV6) / tcp(22);
  const Bytes eight = {0, 1, 4, 0, 0, 0, 0};
  const auto run = [&](const Packet& packet) { return policy->run(packet.layer3(), kVpn); };
  EXPECT_EQ(run(good.extended(IPPROTO_HOPOPTS, eight)), kAllowed);
  EXPECT_EQ(run(good.extended(IPPROTO_HOPOPTS, eight).extended(IPPROTO_DSTOPTS, eight)), kAllowed);
  EXPECT_EQ(run((ipv6(kAliceV6, kWebV6) / tcp(23)).extended(IPPROTO_DSTOPTS, eight)), dropped(GW_REASON_DEFAULT));
  EXPECT_EQ(run(good.extended(IPPROTO_FRAGMENT, {0, 0, 0, 0, 0, 0, 1})), kAllowed) << "an atomic fragment";
  EXPECT_EQ(run(good.extended(IPPROTO_ROUTING, {0, 0, 1, 0, 0, 0, 0})), dropped(GW_REASON_SOURCE_ROUTE)) << "RFC 5095";
  EXPECT_EQ(run(good.extended(IPPROTO_ROUTING, {0, 4, 0, 0, 0, 0, 0})), kAllowed) << "another routing header";
  Packet many = good;
  for (int i = 0; i < 6; ++i) many = many.extended(IPPROTO_DSTOPTS, eight);
  EXPECT_EQ(run(many), dropped(GW_REASON_MALFORMED));
  EXPECT_EQ(run(good.extended(IPPROTO_DSTOPTS, {200, 1, 4, 0, 0, 0, 0})), dropped(GW_REASON_MALFORMED))
      << "longer than the packet";
}

TEST(Malformed, Ipv6IsDropped) {
  auto* const policy = LoadedPolicy::standard();
  const Bytes good = (ipv6(kAliceV6, kWebV6) / tcp(22)).layer3();
  const Spoiled rows[] = {
      {"more bytes than arrived", [](Bytes& b) { b[5] = 21; }, GW_REASON_MALFORMED},
      {"half a TCP header", [](Bytes& b) { b[5] = 12; }, GW_REASON_MALFORMED},
      {"ICMP of IPv4", [](Bytes& b) { b[6] = IPPROTO_ICMP; }, GW_REASON_MALFORMED},
      {"half an IP header", [](Bytes& b) { b.resize(30); }, GW_REASON_MALFORMED},
  };
  for (const Spoiled& row : rows) {
    Bytes bad = good;
    row.spoil(bad);
    EXPECT_EQ(policy->run(bad, kVpn), dropped(row.reason)) << row.description;
  }
  EXPECT_EQ(policy->vpn(ipv6("::ffff:172.16.201.5", kWebV6) / tcp(22)), dropped(GW_REASON_MALFORMED))
      << "an IPv4 client's address in IPv6 clothes";
  EXPECT_EQ(policy->vpn(ipv6(kAliceV6, "::ffff:10.1.1.7") / tcp(22)), dropped(GW_REASON_MALFORMED));
}

TEST(Malformed, EthernetFramesAreDropped) {
  auto* const policy = LoadedPolicy::standard();
  // Behind a tag: the kernel refuses to run a program on a short IP frame without one.
  const Bytes frame = (ipv4(kWebV4, kDataV4) / tcp(5432)).ethernet({0});
  ASSERT_EQ(policy->run(frame, kWebIn), kAllowed);
  for (const std::ptrdiff_t length : {16, 28, 50})
    EXPECT_EQ(policy->run(Bytes(frame.begin(), frame.begin() + length), kWebIn), dropped(GW_REASON_MALFORMED))
        << length;
}

}  // namespace
}  // namespace gw::test
