// SPDX-License-Identifier: Apache-2.0
// ICMP errors pass when they quote a packet of an open flow and come from where that packet went (RFC 792, RFC 4443).
#include <netinet/in.h>

#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

constexpr const char* kWebRouter = "10.1.1.254";
constexpr const char* kFarRouter = "192.0.2.99";  // of no prefix of ours
constexpr const char* kWebRouter6 = "fd10:1:1::fe";
constexpr const char* kFarRouter6 = "2001:db8:9::1";

const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22);
const Packet kDns = ipv4(kAliceV4, kWebV4) / udp(53);
const Packet kPing = ipv4(kAliceV4, kWebV4) / icmp(8, 0, 9);
const Packet kGre = ipv4(kAliceV4, kWebV4) / protocol(47);
const Packet kSix = ipv6(kAliceV6, kWebV6) / tcp(443);
const Packet kSixPing = ipv6(kAliceV6, kWebV6) / icmp(128, 0, 9);
const Packet kOut = ipv4(kAliceV4, "8.8.8.8") / udp(53);

Sent t(const Packet& packet) { return from_tunnel(packet); }
Sent w(const Packet& packet) { return from_web(packet); }
const Verdict kNoRuleForIt = dropped(GW_REASON_DEFAULT);
const Verdict kForeign = dropped(GW_REASON_SOURCE);

const std::vector<PacketCase> kTypes = {
    {"host unreachable", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 3, 1)), kAllowed},
    {"port unreachable, by the server", {t(kDns)}, w(icmp_error(kWebV4, kDns, 3, 3)), kAllowed},
    {"fragmentation needed", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 3, 4)), kAllowed},
    {"time exceeded", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 11, 0)), kAllowed},
    {"parameter problem", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 12, 0)), kAllowed},
    {"source quench is none", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 4, 0)), kNoRuleForIt},
    {"a redirect is none", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 5, 1)), kNoRuleForIt},
    {"an echo that quotes is none", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 8, 0)), kNoRuleForIt},
    {"an echo reply that quotes is none", {t(kSsh)}, w(icmp_error(kWebRouter, kSsh, 0, 0)), kNoRuleForIt},
    {"IPv6, no route", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 1, 0)), kAllowed},
    {"IPv6, packet too big", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 2, 0)), kAllowed},
    {"IPv6, time exceeded", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 3, 0)), kAllowed},
    {"IPv6, parameter problem", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 4, 1)), kAllowed},
    {"IPv6, type 5 is none", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 5, 0)), kNoRuleForIt},
    {"IPv6, type 0 is none", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 0, 0)), kNoRuleForIt},
    {"IPv6, type 100 is none", {t(kSix)}, w(icmp_error(kWebRouter6, kSix, 100, 0)), kNoRuleForIt},
    {"of an echo", {t(kPing)}, w(icmp_error(kWebRouter, kPing, 3, 1)), kAllowed},
    {"of an IPv6 echo", {t(kSixPing)}, w(icmp_error(kWebRouter6, kSixPing, 1, 3)), kAllowed},
    {"of another echo",
     {t(kPing)},
     w(icmp_error(kWebRouter, ipv4(kAliceV4, kWebV4) / icmp(8, 0, 10), 3, 1)),
     kNoRuleForIt},
    {"of another protocol", {t(kGre)}, w(icmp_error(kWebRouter, kGre, 3, 2)), kAllowed},
    {"of no flow", {}, w(icmp_error(kWebRouter, kSsh, 3, 1)), kNoRuleForIt},
    {"of another port", {t(kSsh)}, w(icmp_error(kWebRouter, ipv4(kAliceV4, kWebV4) / tcp(443), 3, 1)), kNoRuleForIt},
    {"of another source port",
     {t(kSsh)},
     w(icmp_error(kWebRouter, ipv4(kAliceV4, kWebV4) / tcp(22).from(1), 3, 1)),
     kNoRuleForIt},
    {"of the same ports in UDP",
     {t(kSsh)},
     w(icmp_error(kWebRouter, ipv4(kAliceV4, kWebV4) / udp(22), 3, 1)),
     kNoRuleForIt},
    {"of an echo reply, from the client",
     {t(kPing), w(kPing.reply())},
     t(icmp_error(kAliceV4, kPing.reply(), 3, 3)),
     kAllowed},
    {"of a reply, from the client", {t(kSsh), w(kSsh.reply())}, t(icmp_error(kAliceV4, kSsh.reply(), 3, 3)), kAllowed},
};
INSTANTIATE_TEST_SUITE_P(IcmpErrorType, PacketTable, testing::ValuesIn(in_both_worlds(kTypes)), row_name);

Packet to(const Packet& error, const char* destination) {
  Packet out = error;
  out.ip.destination = IpAddress::parse(destination).value();
  return out;
}

const std::vector<PacketCase> kSenders = {
    {"a router that we do not know", {t(kSsh)}, w(icmp_error(kFarRouter, kSsh, 11, 0)), kAllowed},
    {"an IPv6 router that we do not know", {t(kSix)}, w(icmp_error(kFarRouter6, kSix, 2, 0)), kAllowed},
    {"the same after an answer", {t(kSsh), w(kSsh.reply())}, w(icmp_error(kFarRouter, kSsh, 3, 4)), kAllowed},
    {"by another interface before an answer told the way",
     {t(kSsh)},
     from_data(icmp_error("10.1.2.254", kSsh, 3, 1)),
     kAllowed},
    {"by another interface than the answers",
     {t(kSsh), w(kSsh.reply())},
     from_data(icmp_error("10.1.2.254", kSsh, 3, 1)),
     kNoRuleForIt},
    {"by another interface, from afar",
     {t(kSsh), w(kSsh.reply())},
     from_data(icmp_error(kFarRouter, kSsh, 3, 4)),
     kForeign},
    {"of a reply, by the interface it went out of",
     {t(kSsh), w(kSsh.reply())},
     w(icmp_error(kWebRouter, kSsh.reply(), 3, 3)),
     kNoRuleForIt},
    {"to another than who sent the packet", {t(kSsh)}, w(to(icmp_error(kWebRouter, kSsh, 3, 3), kBobV4)), kNoRuleForIt},
    {"as the gateway", {t(kSsh)}, w(icmp_error(kGatewayV4, kSsh, 3, 3)), kForeign},
    {"as the gateway's public side", {t(kSsh)}, w(icmp_error("203.0.113.1", kSsh, 3, 3)), kForeign},
    {"as loopback", {t(kSsh)}, w(icmp_error("127.0.0.1", kSsh, 3, 3)), kForeign},
    {"as nobody", {t(kSsh)}, w(icmp_error("0.0.0.0", kSsh, 3, 3)), kForeign},
    {"as a multicast group", {t(kSsh)}, w(icmp_error("224.0.0.1", kSsh, 3, 3)), kForeign},
    {"as broadcast", {t(kSsh)}, w(icmp_error("255.255.255.255", kSsh, 3, 3)), kForeign},
    {"as an IPv6 multicast group", {t(kSix)}, w(icmp_error("ff02::1", kSix, 1, 0)), kForeign},
    {"as IPv6 loopback", {t(kSix)}, w(icmp_error("::1", kSix, 1, 0)), kForeign},
    {"as who sent the packet", {t(kSsh)}, t(icmp_error(kAliceV4, kSsh, 3, 3)), dropped(GW_REASON_LAND)},
};
INSTANTIATE_TEST_SUITE_P(IcmpErrorSender, PacketTable, testing::ValuesIn(in_both_worlds(kSenders)), row_name);

const std::vector<PacketCase> kClients = {
    {"a client about a flow that is not its own", {t(kSsh)}, t(icmp_error(kBobV4, kSsh, 3, 3)), kNoRuleForIt},
    {"a client about an answer that is not its own",
     {t(kSsh), w(kSsh.reply())},
     t(icmp_error(kBobV4, kSsh.reply(), 3, 3)),
     kNoRuleForIt},
    {"a client's address on a subnet", {t(kSsh)}, w(icmp_error(kBobV4, kSsh, 3, 3)), kForeign},
    {"a router within a site, about what went there",
     {t(kSsh), w(kSsh.reply())},
     t(icmp_error("192.168.50.1", kSsh.reply(), 3, 4)),
     kAllowed},
    {"into the tunnel", {t(kSsh)}, to_tunnel(icmp_error(kWebRouter, kSsh, 3, 4)), kUnmarked},
    {"into the tunnel, from afar", {t(kSix)}, to_tunnel(icmp_error(kFarRouter6, kSix, 2, 0)), kUnmarked},
    {"into the tunnel, of a translated flow", {t(kOut)}, to_tunnel(icmp_error("203.0.113.9", kOut, 11, 0)), kUnmarked},
    {"into the tunnel, of no flow", {}, to_tunnel(icmp_error(kWebRouter, kSsh, 3, 4)), dropped(GW_REASON_NO_FLOW)},
    {"into the tunnel, to another",
     {t(kSsh)},
     to_tunnel(to(icmp_error(kWebRouter, kSsh, 3, 4), kBobV4)),
     dropped(GW_REASON_NO_FLOW)},
    {"into the tunnel, as the gateway",
     {t(kSsh)},
     to_tunnel(icmp_error(kGatewayV4, kSsh, 3, 4)),
     dropped(GW_REASON_NO_FLOW)},
    {"to the public side, of what the gateway sent",
     {},
     from_uplink(icmp_error("8.8.8.8", ipv4("203.0.113.1", "8.8.8.8") / udp(51820), 3, 3)),
     kUnmarked},
};
INSTANTIATE_TEST_SUITE_P(IcmpErrorOfClients, PacketTable, testing::ValuesIn(in_standard_world(kClients)), row_name);

Packet quoting(size_t bytes) {
  Packet out = icmp_error(kWebRouter, kSsh, 3, 1);
  out.transport.payload.resize(bytes);
  return out;
}
/// An error whose quote has one byte changed: 28 bytes of IP and ICMP header come before.
Packet misquoting(size_t at, uint8_t value) {
  Packet out = icmp_error(kWebRouter, kSsh, 3, 1);
  out.transport.payload.at(at) = value;
  return out;
}

const std::vector<PacketCase> kQuotes = {
    {"28 bytes of quote", {t(kSsh)}, w(quoting(28)), kAllowed},
    {"much quote", {t(kSsh)}, w(quoting(548)), kAllowed},
    {"27 bytes of quote", {t(kSsh)}, w(quoting(27)), kNoRuleForIt},
    {"a quote of the IP header alone", {t(kSsh)}, w(quoting(20)), kNoRuleForIt},
    {"a quote that ends in the IP header", {t(kSsh)}, w(quoting(12)), kNoRuleForIt},
    {"no quote", {t(kSsh)}, w(quoting(0)), kNoRuleForIt},
    {"a quote of version 6", {t(kSsh)}, w(misquoting(0, 0x65)), kNoRuleForIt},
    {"a quote of version 0", {t(kSsh)}, w(misquoting(0, 0x05)), kNoRuleForIt},
    {"a quote with a header of 16 bytes", {t(kSsh)}, w(misquoting(0, 0x44)), kNoRuleForIt},
    {"a quote with a header longer than it", {t(kSsh)}, w(misquoting(0, 0x4f)), kNoRuleForIt},
    {"a quote of a later fragment", {t(kSsh)}, w(misquoting(7, 3)), kNoRuleForIt},
    {"a quote of a first fragment", {t(kSsh)}, w(misquoting(6, 0x20)), kAllowed},
    {"a quote whose length says more than is there", {t(kSsh)}, w(misquoting(2, 0x05)), kAllowed},
    {"a quote whose checksum a router has spoiled", {t(kSsh)}, w(misquoting(10, 0x55)), kAllowed},
    {"a quote with options",
     {t(kSsh)},
     w(icmp_error(kWebRouter, kSsh.with_options({1, 1, 1, 1}), 3, 1).about(kSsh.with_options({1, 1, 1, 1}))),
     kAllowed},
    {"an error about an error",
     {t(icmp_error(kAliceV4, ipv4(kWebV4, kAliceV4) / tcp(1), 3, 1))},
     w(icmp_error(kWebRouter, icmp_error(kAliceV4, ipv4(kWebV4, kAliceV4) / tcp(1), 3, 1), 3, 1)),
     kNoRuleForIt},
    {"an IPv4 packet quoted in ICMPv6",
     {t(kSsh), t(kSix)},
     w(icmp_error(kWebRouter6, kSix, 1, 0).about(kSsh)),
     kNoRuleForIt},
    {"an IPv6 packet quoted in ICMP",
     {t(kSsh), t(kSix)},
     w(icmp_error(kWebRouter, kSsh, 3, 1).about(kSix)),
     kNoRuleForIt},
    {"an IPv6 quote behind extensions is judged by the rules",
     {t(kSix)},
     w(icmp_error(kWebRouter6, kSix, 1, 0).about(kSix.extended(IPPROTO_DSTOPTS, {0, 1, 4, 0, 0, 0, 0}))),
     kNoRuleForIt},
    {"a rule allows what no flow explains",
     {},
     t(icmp_error(kAliceV4, ipv4(kWebV4, kAliceV4) / tcp(1), 3, 1)),
     kAllowed},
    {"an error in fragments, its first", {t(kSsh)}, w(quoting(200).piece(0, 104, 5)), kAllowed},
    {"an error in fragments, its last",
     {t(kSsh), w(quoting(200).piece(0, 104, 5))},
     w(quoting(200).piece(104, 208, 5)),
     kAllowed},
    {"an error in fragments that cut the quote", {t(kSsh)}, w(quoting(200).piece(0, 24, 5)), kNoRuleForIt},
};
INSTANTIATE_TEST_SUITE_P(IcmpErrorQuote, PacketTable, testing::ValuesIn(in_both_worlds(kQuotes)), row_name);

const std::vector<PacketCase> kAges = {
    {"of a flow that is idle for too long", {t(kDns)}, w(icmp_error(kWebRouter, kDns, 3, 3)).later(190), kNoRuleForIt},
    {"of a flow that has closed",
     {t(kSsh), w(kSsh.reply()), t(kSsh.with(kFin | kAck)), w(kSsh.reply(kFin | kAck))},
     w(icmp_error(kWebRouter, kSsh, 3, 1)),
     kAllowed},
    {"of a flow that was reset",
     {t(kSsh), w(kSsh.reply(kRst | kAck))},
     w(icmp_error(kWebRouter, kSsh, 3, 1)),
     kAllowed},
};
INSTANTIATE_TEST_SUITE_P(IcmpErrorAge, PacketTable, testing::ValuesIn(in_both_worlds(kAges)), row_name);

}  // namespace
}  // namespace gw::test
