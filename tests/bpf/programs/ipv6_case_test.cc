// SPDX-License-Identifier: Apache-2.0
// IPv6 headers and their extensions (RFC 8200, RFC 7045).
#include <netinet/in.h>

#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

constexpr uint8_t kAuthentication = 51, kEncapsulated = 50, kNoNext = 59, kMobility = 135, kGre = 47;

const Packet kSsh = ipv6(kAliceV6, kWebV6) / tcp(22);
const Packet kDns = ipv6(kAliceV6, kWebV6) / udp(53).carrying(Bytes(24));

/// Extension bodies: what follows the next-header byte. The first byte is the length in 8 bytes, less the first 8.
const Bytes kEight = {0, 1, 4, 0, 0, 0, 0};
const Bytes kAtomic = {0, 0, 0, 0, 0, 0, 1};

Bytes sized(uint8_t units) {
  Bytes out(7 + size_t{units} * 8);
  out[0] = units;
  return out;
}
Bytes routing(uint8_t type, uint8_t segments_left) { return {0, type, segments_left, 0, 0, 0, 0}; }

Packet many(int count) {
  Packet out = kSsh;
  for (int i = 0; i < count; ++i) out = out.extended(IPPROTO_DSTOPTS, kEight);
  return out;
}

Sent t(const Packet& packet) { return from_tunnel(packet); }

const Verdict kMalformed = dropped(GW_REASON_MALFORMED);
const Verdict kNoRuleForIt = dropped(GW_REASON_DEFAULT);
const Verdict kSourceRouted = dropped(GW_REASON_SOURCE_ROUTE);

const std::vector<PacketCase> kHeaders = {
    {"a whole packet", {}, t(kSsh), kAllowed},
    {"padding behind the packet", {}, t(kSsh.resized(100)), kAllowed},
    {"any traffic class and flow label", {}, t(kSsh.but(0, 0x6f).but(1, 0xff).but(3, 0xff)), kAllowed},
    {"a hop limit of 1, which is the stack's to answer", {}, t(kSsh.but(7, 1)), kAllowed},
    {"a payload length one above what arrived", {}, t(kSsh.but(5, 21)), kMalformed},
    {"the greatest payload length", {}, t(kSsh.but(4, 0xff).but(5, 0xff)), kMalformed},
    {"a payload length of 0", {}, t(kSsh.but(5, 0)), kMalformed},
    {"a payload length that cuts the TCP header", {}, t(kSsh.but(5, 19)), kMalformed},
    {"a payload length that cuts the UDP header", {}, t(kDns.but(5, 7)), kMalformed},
    {"cut in the IP header", {}, t(kSsh.resized(39)), kMalformed},
    {"cut behind the IP header", {}, t(kSsh.resized(40)), kMalformed},
    {"cut in the TCP header", {}, t(kSsh.resized(59)), kMalformed},
    {"ICMP of IPv4", {}, t(kSsh.but(6, IPPROTO_ICMP)), kMalformed},
    {"a source that is an IPv4 address in IPv6 clothes",
     {},
     t(ipv6("::ffff:172.16.201.5", kWebV6) / tcp(22)),
     kMalformed},
    {"a destination that is an IPv4 address in IPv6 clothes",
     {},
     t(ipv6(kAliceV6, "::ffff:10.1.1.7") / tcp(22)),
     kMalformed},
    {"a UDP length of 0, as in a jumbogram", {}, t(kDns.but(45, 0)), kMalformed},
    {"a UDP length above the payload", {}, t(kDns.but(45, 33)), kMalformed},
};
INSTANTIATE_TEST_SUITE_P(Ipv6Header, PacketTable, testing::ValuesIn(in_both_worlds(kHeaders)), row_name);

const std::vector<PacketCase> kExtensions = {
    {"hop-by-hop options", {}, t(kSsh.extended(IPPROTO_HOPOPTS, kEight)), kAllowed},
    {"destination options", {}, t(kSsh.extended(IPPROTO_DSTOPTS, kEight)), kAllowed},
    {"hop-by-hop, then destination options",
     {},
     t(kSsh.extended(IPPROTO_HOPOPTS, kEight).extended(IPPROTO_DSTOPTS, kEight)),
     kAllowed},
    {"an extension of 64 bytes", {}, t(kSsh.extended(IPPROTO_DSTOPTS, sized(7))), kAllowed},
    {"an extension of 2048 bytes", {}, t(kSsh.extended(IPPROTO_DSTOPTS, sized(255))), kAllowed},
    {"extensions of 2048 and 808 bytes",
     {},
     t(kSsh.extended(IPPROTO_DSTOPTS, sized(255)).extended(IPPROTO_DSTOPTS, sized(100))),
     kAllowed},
    {"extensions do not hide the port",
     {},
     t((ipv6(kAliceV6, kWebV6) / tcp(23)).extended(IPPROTO_DSTOPTS, kEight)),
     kNoRuleForIt},
    {"nor does a long one",
     {},
     t((ipv6(kAliceV6, kWebV6) / tcp(23)).extended(IPPROTO_DSTOPTS, sized(255))),
     kNoRuleForIt},
    {"an atomic fragment", {}, t(kSsh.extended(IPPROTO_FRAGMENT, kAtomic)), kAllowed},
    {"destination options behind an atomic fragment",
     {},
     t(kSsh.extended(IPPROTO_FRAGMENT, kAtomic).extended(IPPROTO_DSTOPTS, kEight)),
     kAllowed},
    {"two fragment headers",
     {},
     t(kSsh.extended(IPPROTO_FRAGMENT, kAtomic).extended(IPPROTO_FRAGMENT, kAtomic)),
     kMalformed},
    {"hop-by-hop options that are not first",
     {},
     t(kSsh.extended(IPPROTO_DSTOPTS, kEight).extended(IPPROTO_HOPOPTS, kEight)),
     kMalformed},
    {"hop-by-hop options twice",
     {},
     t(kSsh.extended(IPPROTO_HOPOPTS, kEight).extended(IPPROTO_HOPOPTS, kEight)),
     kMalformed},
    {"five extensions", {}, t(many(5)), kAllowed},
    {"six extensions", {}, t(many(6)), kMalformed},
    {"twenty extensions", {}, t(many(20)), kMalformed},
    {"an extension longer than the packet", {}, t(kSsh.extended(IPPROTO_DSTOPTS, {200, 1, 4, 0, 0, 0, 0})), kMalformed},
    {"an extension that takes the transport header with it",
     {},
     t(kSsh.extended(IPPROTO_DSTOPTS, {2, 1, 4, 0, 0, 0, 0})),
     kMalformed},
    {"an extension that ends with the packet", {}, t(kSsh.extended(IPPROTO_DSTOPTS, kEight).but(5, 8)), kMalformed},
    {"half an extension", {}, t(kSsh.extended(IPPROTO_DSTOPTS, kEight).but(5, 7)), kMalformed},
    {"half a fragment header", {}, t(kSsh.extended(IPPROTO_FRAGMENT, kAtomic).but(5, 4)), kMalformed},
    {"a routing header of type 0", {}, t(kSsh.extended(IPPROTO_ROUTING, routing(0, 1))), kSourceRouted},
    {"a routing header of type 0 that is used up", {}, t(kSsh.extended(IPPROTO_ROUTING, routing(0, 0))), kSourceRouted},
    {"a routing header for a mobile host", {}, t(kSsh.extended(IPPROTO_ROUTING, routing(2, 1))), kSourceRouted},
    {"a segment routing header with segments left",
     {},
     t(kSsh.extended(IPPROTO_ROUTING, routing(4, 3))),
     kSourceRouted},
    {"a segment routing header that is used up", {}, t(kSsh.extended(IPPROTO_ROUTING, routing(4, 0))), kAllowed},
    {"a routing header behind options",
     {},
     t(kSsh.extended(IPPROTO_HOPOPTS, kEight).extended(IPPROTO_ROUTING, routing(4, 1))),
     kSourceRouted},
    {"an authentication header is a protocol", {}, t(kSsh.extended(kAuthentication, Bytes(23))), kNoRuleForIt},
    {"encapsulated security payload is a protocol",
     {},
     t(ipv6(kAliceV6, kWebV6) / protocol(kEncapsulated)),
     kNoRuleForIt},
    {"a mobility header is a protocol", {}, t(ipv6(kAliceV6, kWebV6) / protocol(kMobility)), kNoRuleForIt},
    {"no next header", {}, t(ipv6(kAliceV6, kWebV6) / protocol(kNoNext)), kNoRuleForIt},
    {"no next header behind options",
     {},
     t((ipv6(kAliceV6, kWebV6) / protocol(kNoNext)).extended(IPPROTO_DSTOPTS, kEight)),
     kNoRuleForIt},
    {"an allowed protocol", {}, t(ipv6(kAliceV6, kWebV6) / protocol(kGre)), kAllowed},
    {"an allowed protocol behind options",
     {},
     t((ipv6(kAliceV6, kWebV6) / protocol(kGre)).extended(IPPROTO_DSTOPTS, kEight)),
     kAllowed},
    {"an IPv4 packet in IPv6 is a protocol", {}, t(ipv6(kAliceV6, kWebV6) / protocol(IPPROTO_IPIP)), kNoRuleForIt},
    {"ICMP of IPv4 behind options", {}, t(kSsh.extended(IPPROTO_DSTOPTS, kEight).but(40, IPPROTO_ICMP)), kMalformed},
    {"extensions in a packet of an open flow",
     {t(kSsh)},
     t(kSsh.with(kAck).extended(IPPROTO_DSTOPTS, kEight)),
     kAllowed},
    {"extensions in the answer", {t(kSsh)}, from_web(kSsh.reply().extended(IPPROTO_DSTOPTS, kEight)), kAllowed},
    {"extensions on the way into the tunnel",
     {t(kSsh), from_web(kSsh.reply())},
     to_tunnel(kSsh.reply(kAck).extended(IPPROTO_DSTOPTS, kEight)),
     kUnmarked},
    {"a source route on the way into the tunnel",
     {t(kSsh), from_web(kSsh.reply())},
     to_tunnel(kSsh.reply(kAck).extended(IPPROTO_ROUTING, routing(4, 1))),
     kSourceRouted},
};
INSTANTIATE_TEST_SUITE_P(Ipv6Extension, PacketTable, testing::ValuesIn(in_both_worlds(kExtensions)), row_name);

}  // namespace
}  // namespace gw::test
