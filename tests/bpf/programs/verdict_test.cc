// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

struct Row {
  const char* description;
  Packet packet;
  Verdict verdict;
};

TEST(VpnIngress, DecidesByRuleAndService) {
  auto* const policy = LoadedPolicy::standard();
  const Row rows[] = {
      {"an allowed TCP port", ipv4(kAliceV4, kWebV4) / tcp(22), kAllowed},
      {"another of the same rule", ipv4(kAliceV4, kWebV4) / tcp(443), kAllowed},
      {"the port below it", ipv4(kAliceV4, kWebV4) / tcp(442), dropped(GW_REASON_DEFAULT)},
      {"the same number in UDP", ipv4(kAliceV4, kWebV4) / udp(443), dropped(GW_REASON_DEFAULT)},
      {"an allowed UDP port", ipv4(kAliceV4, kWebV4) / udp(53), kAllowed},
      {"any ICMP", ipv4(kAliceV4, kWebV4) / icmp(8), kAllowed},
      {"an allowed protocol", ipv4(kAliceV4, kWebV4) / protocol(47), kAllowed},
      {"another protocol", ipv4(kAliceV4, kWebV4) / protocol(50), dropped(GW_REASON_DEFAULT)},
      {"IPv6 TCP", ipv6(kAliceV6, kWebV6) / tcp(22), kAllowed},
      {"IPv6 TCP by no rule", ipv6(kAliceV6, kWebV6) / tcp(23), dropped(GW_REASON_DEFAULT)},
      {"ICMPv6", ipv6(kAliceV6, kWebV6) / icmp(128), kAllowed},
      {"a written deny", ipv4(kAliceV4, kDataV4) / tcp(5432), dropped(GW_REASON_RULE)},
      {"a reject", ipv4(kBobV4, kWebV4) / tcp(22), kRejected},
      {"a client without any rule for it", ipv4(kBobV4, kWebV4) / tcp(443), dropped(GW_REASON_DEFAULT)},
      {"client to client", ipv4(kAliceV4, kBobV4) / tcp(22), dropped(GW_REASON_DEFAULT)},
      {"to an address of no client", ipv4(kAliceV4, "172.16.201.77") / tcp(22), dropped(GW_REASON_UNASSIGNED)},
      {"the internet, masqueraded", ipv4(kAliceV4, "8.8.8.8") / udp(53), kTracked},
      {"cloud metadata", ipv4(kAliceV4, "169.254.169.254") / tcp(80), dropped(GW_REASON_NEVER_FORWARDED)},
      {"multicast stays on the link", ipv4(kAliceV4, "224.0.0.251") / udp(5353), kUnmarked},
      {"link-local stays on the link", ipv6(kAliceV6, "fe80::1") / udp(5353), kUnmarked},
  };
  for (const Row& row : rows) EXPECT_EQ(policy->vpn(row.packet), row.verdict) << row.description;
}

TEST(VpnIngress, BelievesOnlyAddressesOfClients) {
  auto* const policy = LoadedPolicy::standard();
  EXPECT_EQ(policy->vpn(ipv4("172.16.201.99", kWebV4) / tcp(22)), dropped(GW_REASON_UNASSIGNED));
  EXPECT_EQ(policy->vpn(ipv4(kWebV4, kDataV4) / tcp(5432)), dropped(GW_REASON_SOURCE));
  EXPECT_EQ(policy->vpn(ipv4("8.8.8.8", kWebV4) / tcp(22)), dropped(GW_REASON_SOURCE));
  EXPECT_EQ(policy->vpn(ipv4(kGatewayV4, kWebV4) / tcp(22)), dropped(GW_REASON_SOURCE));
}

TEST(SubnetIngress, DecidesByRuleAndChecksTheSource) {
  auto* const policy = LoadedPolicy::standard();
  const Row rows[] = {
      {"between subnets", ipv4(kWebV4, kDataV4) / tcp(5432), kAllowed},
      {"between subnets by no rule", ipv4(kWebV4, kDataV4) / tcp(5433), dropped(GW_REASON_DEFAULT)},
      {"to a client by no rule", ipv4(kWebV4, kAliceV4) / tcp(22), dropped(GW_REASON_DEFAULT)},
      {"a source of another subnet", ipv4(kDataV4, kAliceV4) / tcp(22), dropped(GW_REASON_SOURCE)},
      {"a client's address", ipv4(kAliceV4, kWebV4) / tcp(22), dropped(GW_REASON_SOURCE)},
      {"the gateway's own address", ipv4(kGatewayV4, kDataV4) / tcp(5432), dropped(GW_REASON_SOURCE)},
      {"a source from the internet", ipv4("8.8.8.8", kDataV4) / tcp(5432), dropped(GW_REASON_SOURCE)},
      {"DHCP", ipv4("0.0.0.0", "255.255.255.255") / udp(67).from(68), kUnmarked},
      {"DHCP to the server itself", ipv4(kWebV4, kGatewayV4) / udp(67).from(68), kUnmarked},
      {"MLD", ipv6("fe80::7", "ff02::16") / icmp(143), kUnmarked},
      {"a neighbour solicitation to a global address",
       {.ip = {IpAddress::parse("fe80::7").value(), IpAddress::parse("fd10:1:1::1").value(), 255},
        .transport = icmp(135),
        .extensions = {}},
       kUnmarked},
      {"the same from afar", ipv6("fe80::7", "fd10:1:1::1") / icmp(135), dropped(GW_REASON_SOURCE)},
  };
  for (const Row& row : rows) EXPECT_EQ(policy->web(row.packet), row.verdict) << row.description;
}

TEST(SubnetIngress, PassesArpAndDropsProtocolsItDoesNotKnow) {
  auto* const policy = LoadedPolicy::standard();
  Bytes frame = (ipv4(kWebV4, kDataV4) / tcp(5432)).ethernet();
  const Entry web{.hook = bpf::Hook::subnet_ingress, .device = Device::web};
  frame.at(12) = 0x08, frame.at(13) = 0x06;
  EXPECT_EQ(policy->run(frame, web), kUnmarked);
  frame.at(12) = 0x88, frame.at(13) = 0xcc;
  EXPECT_EQ(policy->run(frame, web), dropped(GW_REASON_PROTOCOL));
}

TEST(SubnetIngress, LeavesConfiguredVlansToTheirDevicesAndDropsOthers) {
  auto* const policy = LoadedPolicy::standard();
  const Packet packet = ipv4(kWebV4, kDataV4) / tcp(5432);
  const Entry web{.hook = bpf::Hook::subnet_ingress, .device = Device::web, .mark = GW_MARK_ALLOW};
  const Entry data{.hook = bpf::Hook::subnet_ingress, .device = Device::data};
  EXPECT_EQ(policy->run(packet.ethernet({20}), web), kUnmarked);
  EXPECT_EQ(policy->run(packet.ethernet({30 | 5 << 13}), web), kUnmarked) << "with a priority";
  EXPECT_EQ(policy->run(packet.ethernet({21}), web), dropped(GW_REASON_VLAN));
  EXPECT_EQ(policy->run(packet.ethernet({20}), data), dropped(GW_REASON_VLAN)) << "a device without VLANs";
  EXPECT_EQ(policy->run(packet.ethernet({0}), web), kAllowed) << "priority only: the frame is untagged";
  EXPECT_EQ(policy->run((ipv4(kDataV4, kWebV4) / tcp(1)).ethernet({0}), web), dropped(GW_REASON_SOURCE));
  EXPECT_EQ(policy->run(packet.ethernet({0, 20}), web), dropped(GW_REASON_VLAN)) << "two tags";
}

TEST(Ingress, ClearsMarksThatPacketsBringAlong) {
  auto* const policy = LoadedPolicy::standard();
  const uint32_t foreign = 0x0000beef;
  const uint32_t forged = GW_MARK_ALLOW | GW_MARK_NAT | GW_MARK_REJECT | foreign;
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, "224.0.0.251") / udp(5353), forged), kUnmarked);
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / tcp(22), forged), kAllowed);
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / tcp(22).with(kAck), forged), kAllowed) << "of an open flow";
  EXPECT_EQ(policy->web(ipv4(kWebV4, kGatewayV4) / tcp(22), forged), kUnmarked);
  EXPECT_EQ(policy->vpn(ipv4(kBobV4, kWebV4) / tcp(22), forged), kRejected);
}

TEST(Ingress, DropsWhatArrivesOnAnInterfaceNobodyConfigured) {
  auto* const policy = LoadedPolicy::standard();
  const Bytes frame = (ipv4(kWebV4, kDataV4) / tcp(5432)).ethernet();
  EXPECT_EQ(policy->run(frame, {.hook = bpf::Hook::subnet_ingress, .device = Device::stray}),
            dropped(GW_REASON_NO_LINK));
}

TEST(Gateway, IsMarkedByARuleAndElseLeftToTheHostFirewall) {
  auto* const policy = LoadedPolicy::standard();
  const Row rows[] = {
      {"an allowed echo", ipv4(kAliceV4, "172.16.201.1") / icmp(8), kTracked},
      {"an allowed echo in IPv6", ipv6(kAliceV6, "fd6d:706e:6c61::1") / icmp(128), kTracked},
      {"what no rule speaks of", ipv4(kAliceV4, kGatewayV4) / tcp(22), kUnmarked},
      {"a written deny drops", ipv4(kBobV4, kGatewayV4) / tcp(22), dropped(GW_REASON_RULE)},
      {"a written reject rejects", ipv4(kBobV4, kGatewayV4) / tcp(80), kRejected},
      {"an address of no client does not", ipv4("172.16.201.99", kGatewayV4) / tcp(22), dropped(GW_REASON_UNASSIGNED)},
  };
  for (const Row& row : rows) EXPECT_EQ(policy->vpn(row.packet), row.verdict) << row.description;
  EXPECT_EQ(policy->web(ipv4(kWebV4, kGatewayV4) / tcp(22).with(kSyn | kAck)), kUnmarked)
      << "answers to what the gateway opened";
}

TEST(PublicLink, LetsForeignSourcesReachOnlyTheGateway) {
  auto* const policy = LoadedPolicy::standard();
  EXPECT_EQ(policy->uplink(ipv4("8.8.8.8", "203.0.113.1") / udp(51820)), kUnmarked);
  EXPECT_EQ(policy->uplink(ipv4("8.8.8.8", kWebV4) / tcp(443)), dropped(GW_REASON_SOURCE));
  EXPECT_EQ(policy->uplink(ipv4("203.0.113.5", kWebV4) / tcp(443)), kAllowed) << "of its own subnet";
  EXPECT_EQ(policy->uplink(ipv4(kWebV4, "203.0.113.1") / udp(51820)), dropped(GW_REASON_SOURCE))
      << "an address of another interface";
  EXPECT_EQ(policy->web(ipv4("8.8.8.8", kGatewayV4) / udp(51820)), dropped(GW_REASON_SOURCE)) << "not public";
}

}  // namespace
}  // namespace gw::test
