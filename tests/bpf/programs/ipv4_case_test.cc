// SPDX-License-Identifier: Apache-2.0
// IPv4 headers: lengths, versions, options (RFC 791), and what is above them.
#include <netinet/in.h>

#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

constexpr uint8_t kNop = 1, kEnd = 0, kRecordRoute = 7, kTimestamp = 68, kLooseRoute = 131, kStrictRoute = 137,
                  kRouterAlert = 148;

const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22);
const Packet kDns = ipv4(kAliceV4, kWebV4) / udp(53).carrying(Bytes(20));
const Packet kPing = ipv4(kAliceV4, kWebV4) / icmp(8).carrying(Bytes(24));

Sent t(const Packet& packet) { return from_tunnel(packet); }

const Verdict kMalformed = dropped(GW_REASON_MALFORMED);
const Verdict kSourceRouted = dropped(GW_REASON_SOURCE_ROUTE);

const std::vector<PacketCase> kHeaders = {
    {"a whole packet", {}, t(kSsh), kAllowed},
    {"padding behind the packet as Ethernet adds it", {}, t(kSsh.resized(60)), kAllowed},
    {"much padding", {}, t(kSsh.resized(1000)), kAllowed},
    {"a header length of 16", {}, t(kSsh.but(0, 0x44)), kMalformed},
    {"a header length of 0", {}, t(kSsh.but(0, 0x40)), kMalformed},
    {"a header length of 4", {}, t(kSsh.but(0, 0x41)), kMalformed},
    {"a header of 60 bytes in a packet of 40", {}, t(kSsh.but(0, 0x4f)), kMalformed},
    {"a header as long as the packet leaves no TCP header", {}, t(kSsh.but(0, 0x4a)), kMalformed},
    {"a total length one above what arrived", {}, t(kSsh.but(3, 41)), kMalformed},
    {"the greatest total length", {}, t(kSsh.but(2, 0xff).but(3, 0xff)), kMalformed},
    {"a total length of the header less one", {}, t(kSsh.but(3, 19)), kMalformed},
    {"a total length of 0", {}, t(kSsh.but(3, 0)), kMalformed},
    {"a total length that cuts the TCP header", {}, t(kSsh.but(3, 39)), kMalformed},
    {"a total length of the header alone", {}, t(kSsh.but(3, 20)), kMalformed},
    {"cut in the IP header", {}, t(kSsh.resized(19)), kMalformed},
    {"cut behind the IP header", {}, t(kSsh.resized(20)), kMalformed},
    {"cut in the TCP header", {}, t(kSsh.resized(39)), kMalformed},
    {"a UDP packet that ends in its UDP header", {}, t(kDns.but(3, 27)), kMalformed},
    {"an ICMP packet that ends in its ICMP header", {}, t(kPing.but(3, 27)), kMalformed},
    {"an ICMP header and nothing else", {}, t(kPing.but(3, 28)), kAllowed},
    {"the reserved bit set", {}, t(kSsh.but(6, 0x80)), kAllowed},
    {"do not fragment", {}, t(kSsh.but(6, 0x40)), kAllowed},
    {"any type of service", {}, t(kSsh.but(1, 0xff)), kAllowed},
    {"a time to live of 1, which is the stack's to answer", {}, t(kSsh.but(8, 1)), kAllowed},
    {"ICMPv6 in IPv4", {}, t(kSsh.but(9, IPPROTO_ICMPV6)), kMalformed},
    {"protocol 0", {}, t(kSsh.but(9, 0)), dropped(GW_REASON_DEFAULT)},
    {"protocol 255", {}, t(kSsh.but(9, 255)), dropped(GW_REASON_DEFAULT)},
    {"an IPv6 extension number in IPv4 is a protocol", {}, t(kSsh.but(9, 44)), dropped(GW_REASON_DEFAULT)},
    {"an allowed protocol without payload", {}, t((ipv4(kAliceV4, kWebV4) / protocol(47)).but(3, 20)), kAllowed},
};
INSTANTIATE_TEST_SUITE_P(Ipv4Header, PacketTable, testing::ValuesIn(in_both_worlds(kHeaders)), row_name);

const std::vector<PacketCase> kOptions = {
    {"no operation four times", {}, t(kSsh.with_options({kNop, kNop, kNop, kNop})), kAllowed},
    {"the end at once, and anything behind it", {}, t(kSsh.with_options({kEnd, kLooseRoute, 1, 0})), kAllowed},
    {"a router alert", {}, t(kSsh.with_options({kRouterAlert, 4, 0, 0})), kAllowed},
    {"a recorded route", {}, t(kSsh.with_options({kRecordRoute, 7, 4, 0, 0, 0, 0, kEnd})), kAllowed},
    {"a timestamp", {}, t(kSsh.with_options({kTimestamp, 8, 5, 0, 0, 0, 0, 0})), kAllowed},
    {"forty bytes of options", {}, t(kSsh.with_options(Bytes(40, kNop))), kAllowed},
    {"an unknown option", {}, t(kSsh.with_options({0x5e, 4, 1, 2})), kAllowed},
    {"options do not hide the port",
     {},
     t((ipv4(kAliceV4, kWebV4) / tcp(23)).with_options(Bytes(12, kNop))),
     dropped(GW_REASON_DEFAULT)},
    {"a loose source route", {}, t(kSsh.with_options({kLooseRoute, 7, 4, 10, 1, 2, 7, kEnd})), kSourceRouted},
    {"a strict source route", {}, t(kSsh.with_options({kStrictRoute, 7, 4, 10, 1, 2, 7, kEnd})), kSourceRouted},
    {"a source route that is used up", {}, t(kSsh.with_options({kLooseRoute, 7, 8, 10, 1, 2, 7, kEnd})), kSourceRouted},
    {"a source route behind padding", {}, t(kSsh.with_options({kNop, kLooseRoute, 3, 4})), kSourceRouted},
    {"a source route behind another option",
     {},
     t(kSsh.with_options({kRouterAlert, 4, 0, 0, kNop, kStrictRoute, 3, 4})),
     kSourceRouted},
    {"a source route as the last of forty bytes",
     {},
     t(kSsh.with_options([] {
       Bytes out(40, kNop);
       out[37] = kLooseRoute, out[38] = 3, out[39] = 4;
       return out;
     }())),
     kSourceRouted},
    {"a source route in a UDP packet", {}, t(kDns.with_options({kNop, kLooseRoute, 3, 4})), kSourceRouted},
    {"a source route in a later fragment",
     {},
     t(kDns.with_options({kNop, kLooseRoute, 3, 4}).piece(8, 28, 1)),
     kSourceRouted},
    {"a source route in a packet of an open flow",
     {t(kSsh)},
     t(kSsh.with(kAck).with_options({kNop, kLooseRoute, 3, 4})),
     kSourceRouted},
    {"an option of length 0", {}, t(kSsh.with_options({kRecordRoute, 0, 0, 0})), kMalformed},
    {"an option of length 1", {}, t(kSsh.with_options({kRecordRoute, 1, 0, 0})), kMalformed},
    {"an option longer than the header", {}, t(kSsh.with_options({kRecordRoute, 5, 0, 0})), kMalformed},
    {"an option that ends with its kind", {}, t(kSsh.with_options({kNop, kNop, kNop, kRecordRoute})), kMalformed},
};
INSTANTIATE_TEST_SUITE_P(Ipv4Options, PacketTable, testing::ValuesIn(in_both_worlds(kOptions)), row_name);

const std::vector<PacketCase> kTransport = {
    {"a TCP header of 24 bytes", {}, t(kSsh.but(32, 0x60).but(3, 44).resized(44)), kAllowed},
    {"a TCP header length of 16", {}, t(kSsh.but(32, 0x40)), kMalformed},
    {"a TCP header length of 0", {}, t(kSsh.but(32, 0x00)), kMalformed},
    {"a TCP header longer than the packet", {}, t(kSsh.but(32, 0x60)), kMalformed},
    {"a TCP header that only padding could complete", {}, t(kSsh.but(32, 0xf0).resized(80)), kMalformed},
    {"a UDP length that is right", {}, t(kDns), kAllowed},
    {"a UDP length of the header alone", {}, t(kDns.but(25, 8)), kAllowed},
    {"a UDP length below the payload leaves room for options", {}, t(kDns.but(25, 20)), kAllowed},
    {"a UDP length of 7", {}, t(kDns.but(25, 7)), kMalformed},
    {"a UDP length of 0", {}, t(kDns.but(25, 0)), kMalformed},
    {"a UDP length one above the payload", {}, t(kDns.but(25, 29)), kMalformed},
    {"a UDP length that padding would fill", {}, t(kDns.but(25, 29).resized(100)), kMalformed},
    {"source port 0", {}, t(ipv4(kAliceV4, kWebV4) / tcp(22).from(0)), kAllowed},
    {"an empty echo", {}, t(ipv4(kAliceV4, kWebV4) / icmp(8)), kAllowed},
};
INSTANTIATE_TEST_SUITE_P(Ipv4Transport, PacketTable, testing::ValuesIn(in_both_worlds(kTransport)), row_name);

/// In a frame the EtherType has said what comes; out of the tunnel the first nibble does.
const std::vector<PacketCase> kVersions = {
    {"version 0", {}, t(kSsh.but(0, 0x05)), dropped(GW_REASON_PROTOCOL)},
    {"version 5", {}, t(kSsh.but(0, 0x55)), dropped(GW_REASON_PROTOCOL)},
    {"version 15", {}, t(kSsh.but(0, 0xf5)), dropped(GW_REASON_PROTOCOL)},
    {"an IPv4 packet that says it is IPv6", {}, t(kSsh.but(0, 0x65)), kMalformed},
    {"version 5 in a frame of type IPv4", {}, from_web((ipv4(kWebV4, kDataV4) / tcp(5432)).but(0, 0x55)), kMalformed},
    {"version 0 in a frame of type IPv4", {}, from_web((ipv4(kWebV4, kDataV4) / tcp(5432)).but(0, 0x05)), kMalformed},
    {"version 4 in a frame of type IPv6",
     {},
     from_web((ipv6(kWebV6, kAliceV6) / tcp(22)).but(0, 0x60).but(0, 0x45)).typed(0x86dd),
     kMalformed},
};
INSTANTIATE_TEST_SUITE_P(Version, PacketTable, testing::ValuesIn(in_standard_world(kVersions)), row_name);

}  // namespace
}  // namespace gw::test
