// SPDX-License-Identifier: Apache-2.0
// What a link carries besides: VLAN tags in the frame, other protocols, and traffic that stays on the link.
#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

const Packet kQuery = ipv4(kWebV4, kDataV4) / tcp(5432);
const Packet kSix = ipv6(kWebV6, kAliceV6) / tcp(22);

Sent w(const Packet& packet) { return from_web(packet); }
const Verdict kUnknownVlan = dropped(GW_REASON_VLAN);
const Verdict kUnknown = dropped(GW_REASON_PROTOCOL);

/// web0 has VLANs 20 and 30.
const std::vector<PacketCase> kTags = {
    {"no tag", {}, w(kQuery), kAllowed},
    {"a configured VLAN goes unjudged to its device", {}, w(kQuery).tagged({20}), kUnmarked},
    {"another configured VLAN", {}, w(kQuery).tagged({30}), kUnmarked},
    {"a configured VLAN with a priority", {}, w(kQuery).tagged({20 | 7 << 13}), kUnmarked},
    {"a configured VLAN with drop eligible", {}, w(kQuery).tagged({20 | 1 << 12}), kUnmarked},
    {"a configured VLAN with what would be refused", {}, w(kQuery.but(0, 0x44)).tagged({20}), kUnmarked},
    {"VLAN 1", {}, w(kQuery).tagged({1}), kUnknownVlan},
    {"VLAN 21", {}, w(kQuery).tagged({21}), kUnknownVlan},
    {"VLAN 4094", {}, w(kQuery).tagged({4094}), kUnknownVlan},
    {"VLAN 4095", {}, w(kQuery).tagged({4095}), kUnknownVlan},
    {"VLAN 0 is untagged", {}, w(kQuery).tagged({0}), kAllowed},
    {"VLAN 0 with a priority", {}, w(kQuery).tagged({7 << 13}), kAllowed},
    {"VLAN 0 does not hide the port", {}, w(ipv4(kWebV4, kDataV4) / tcp(5433)).tagged({0}), dropped(GW_REASON_DEFAULT)},
    {"VLAN 0 over IPv6", {}, w(kSix).tagged({0}), dropped(GW_REASON_DEFAULT)},
    {"a configured VLAN in VLAN 0", {}, w(kQuery).tagged({0, 20}), kUnknownVlan},
    {"VLAN 0 in VLAN 0", {}, w(kQuery).tagged({0, 0}), kUnknownVlan},
    {"whatever lies in a configured VLAN", {}, w(kQuery).tagged({20, 30}), kUnmarked},
    {"three tags", {}, w(kQuery).tagged({0, 20, 30}), kUnknownVlan},
    {"a configured VLAN of another device", {}, from_data(kQuery).tagged({20}), kUnknownVlan},
    {"a service tag", {}, w(kQuery).typed(0x88a8), kUnknownVlan},
    {"an old double tag", {}, w(kQuery).typed(0x9100), kUnknown},
};
INSTANTIATE_TEST_SUITE_P(VlanTag, PacketTable, testing::ValuesIn(in_standard_world(kTags)), row_name);

const std::vector<PacketCase> kTypes = {
    {"ARP", {}, w(kQuery).typed(0x0806), kUnmarked},
    {"ARP in VLAN 0", {}, w(kQuery).tagged({0}).typed(0x0806), kUnmarked},
    {"reverse ARP", {}, w(kQuery).typed(0x8035), kUnknown},
    {"LLDP", {}, w(kQuery).typed(0x88cc), kUnknown},
    {"PPPoE", {}, w(kQuery).typed(0x8864), kUnknown},
    {"MPLS", {}, w(kQuery).typed(0x8847), kUnknown},
    {"a length instead of a type", {}, w(kQuery).typed(60), kUnknown},
    {"type 0", {}, w(kQuery).typed(0), kUnknown},
    {"an IPv4 packet in a frame of type IPv6",
     {},
     w((ipv4(kWebV4, kDataV4) / tcp(5432).carrying(Bytes(40)))).typed(0x86dd),
     dropped(GW_REASON_MALFORMED)},
    {"an IPv6 packet in a frame of type IPv4", {}, w(kSix).typed(0x0800), dropped(GW_REASON_MALFORMED)},
};
INSTANTIATE_TEST_SUITE_P(EtherType, PacketTable, testing::ValuesIn(in_standard_world(kTypes)), row_name);

Packet near(const char* source, const char* destination, uint8_t type, uint8_t hop_limit = 255) {
  Packet out = ipv6(source, destination) / icmp(type);
  out.ip.hop_limit = hop_limit;
  return out;
}
constexpr const char* kGatewayV6 = "fd6d:706e:6c61::1";

const std::vector<PacketCase> kOnLink = {
    {"a router solicitation", {}, w(near("fe80::7", "ff02::2", 133)), kUnmarked},
    {"a router advertisement", {}, w(near("fe80::7", "ff02::1", 134)), kUnmarked},
    {"a solicitation for an address in doubt", {}, w(near("::", "ff02::1:ff00:7", 135)), kUnmarked},
    {"a neighbour solicitation to a global address", {}, w(near(kWebV6, "fd10:1:1::1", 135)), kUnmarked},
    {"a neighbour advertisement to a global address", {}, w(near(kWebV6, "fd10:1:1::1", 136)), kUnmarked},
    {"a redirect with hop limit 255 stays on the link", {}, w(near("fe80::7", "fd10:1:1::1", 137)), kUnmarked},
    {"a neighbour solicitation that a router forwarded",
     {},
     w(near("fe80::7", "fd10:1:1::1", 135, 254)),
     dropped(GW_REASON_SOURCE)},
    {"a neighbour advertisement out of the tunnel", {}, from_tunnel(near(kAliceV6, kWebV6, 136)), kAllowed},
    {"an echo with hop limit 255 is no discovery", {}, w(near(kWebV6, kAliceV6, 128)), dropped(GW_REASON_DEFAULT)},
    {"ICMPv6 type 132 with hop limit 255", {}, w(near(kWebV6, kAliceV6, 132)), dropped(GW_REASON_DEFAULT)},
    {"ICMPv6 type 138 with hop limit 255", {}, w(near(kWebV6, kAliceV6, 138)), dropped(GW_REASON_DEFAULT)},
    {"a multicast listener report",
     {},
     w(near("fe80::7", "ff02::16", 143, 1).extended(0, {0, 5, 2, 0, 0, 1, 0})),
     kUnmarked},
    {"a packet to link-local", {}, w(ipv6(kWebV6, "fe80::1") / tcp(22)), kUnmarked},
    {"a packet to the end of link-local", {}, w(ipv6(kWebV6, "febf::1") / tcp(22)), kUnmarked},
    {"a packet behind the end of link-local", {}, w(ipv6(kWebV6, "fec0::1") / tcp(22)), dropped(GW_REASON_DEFAULT)},
    {"a packet from link-local to afar", {}, w(ipv6("fe80::7", kAliceV6) / tcp(22)), dropped(GW_REASON_SOURCE)},
    {"IPv6 multicast of any scope", {}, w(ipv6(kWebV6, "ff0e::1") / udp(5353)), kUnmarked},
    {"IPv4 multicast", {}, w(ipv4(kWebV4, "224.0.0.251") / udp(5353)), kUnmarked},
    {"the end of IPv4 multicast", {}, w(ipv4(kWebV4, "239.255.255.255") / udp(5353)), kUnmarked},
    {"before IPv4 multicast", {}, w(ipv4(kWebV4, "223.255.255.255") / udp(5353)), dropped(GW_REASON_DEFAULT)},
    {"behind IPv4 multicast", {}, w(ipv4(kWebV4, "240.0.0.1") / udp(5353)), dropped(GW_REASON_DEFAULT)},
    {"IGMP", {}, w(ipv4(kWebV4, "224.0.0.22") / protocol(2)), kUnmarked},
    {"limited broadcast", {}, w(ipv4(kWebV4, "255.255.255.255") / udp(9)), kUnmarked},
    {"the subnet's broadcast is an address of it",
     {},
     w(ipv4(kWebV4, "10.1.1.255") / udp(9)),
     dropped(GW_REASON_DEFAULT)},
    {"a DHCP request of a host without address",
     {},
     w(ipv4("0.0.0.0", "255.255.255.255") / udp(67).from(68)),
     kUnmarked},
    {"a DHCP renewal", {}, w(ipv4(kWebV4, kGatewayV4) / udp(67).from(68)), kUnmarked},
    {"a DHCP answer", {}, w(ipv4("10.1.1.2", kGatewayV4) / udp(68).from(67)), kUnmarked},
    {"DHCPv6 to a server", {}, w(ipv6("fe80::7", "ff02::1:2") / udp(547).from(546)), kUnmarked},
    {"a DHCPv6 answer", {}, w(ipv6(kWebV6, "fd10:1:1::1") / udp(546).from(547)), kUnmarked},
    {"a DHCP port on one side only", {}, w(ipv4(kWebV4, kDataV4) / udp(67)), dropped(GW_REASON_DEFAULT)},
    {"DHCP out of the tunnel is judged",
     {},
     from_tunnel(ipv4(kAliceV4, kWebV4) / udp(67).from(68)),
     dropped(GW_REASON_DEFAULT)},
    {"multicast out of the tunnel stays there", {}, from_tunnel(ipv4(kAliceV4, "239.1.1.1") / udp(5353)), kUnmarked},
    {"multicast into the tunnel",
     {},
     to_tunnel(ipv4(kWebV4, "224.0.0.251") / udp(5353)),
     dropped(GW_REASON_NEVER_FORWARDED)},
    {"IPv6 multicast into the tunnel",
     {},
     to_tunnel(ipv6(kWebV6, "ff02::fb") / udp(5353)),
     dropped(GW_REASON_NEVER_FORWARDED)},
    {"a malformed packet into the tunnel",
     {},
     to_tunnel((ipv4(kWebV4, kAliceV4) / tcp(22)).but(3, 60)),
     dropped(GW_REASON_MALFORMED)},
};
INSTANTIATE_TEST_SUITE_P(StaysOnTheLink, PacketTable, testing::ValuesIn(in_standard_world(kOnLink)), row_name);

}  // namespace
}  // namespace gw::test
