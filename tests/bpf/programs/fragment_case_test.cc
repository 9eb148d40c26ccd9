// SPDX-License-Identifier: Apache-2.0
// Fragments: later ones have what their first got, in whatever order they come after it (RFC 791, 1858, 3128, 8200).
#include <netinet/in.h>

#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

const Packet kDns = ipv4(kAliceV4, kWebV4) / udp(53).carrying(Bytes(192));  // 200 bytes of IP payload
const Packet kSix = ipv6(kAliceV6, kWebV6) / udp(53).carrying(Bytes(192));
const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22).carrying(Bytes(180));  // 200 bytes
const Packet kSsh6 = ipv6(kAliceV6, kWebV6) / tcp(22).carrying(Bytes(180));
const Packet kClosed = ipv4(kAliceV4, kWebV4) / udp(54).carrying(Bytes(192));
const Packet kPing = ipv4(kAliceV4, kWebV4) / icmp(8).carrying(Bytes(192));
const Packet kGre = ipv4(kAliceV4, kWebV4) / protocol(47);  // 16 bytes
const Bytes kEight = {0, 1, 4, 0, 0, 0, 0};

Sent t(const Packet& packet) { return from_tunnel(packet); }
const Verdict kLost = dropped(GW_REASON_FRAGMENT);

const std::vector<PacketCase> kOrder = {
    {"a first one", {}, t(kDns.piece(0, 64, 7)), kAllowed},
    {"the last of two", {t(kDns.piece(0, 64, 7))}, t(kDns.piece(64, 200, 7)), kAllowed},
    {"a middle one", {t(kDns.piece(0, 64, 7))}, t(kDns.piece(64, 128, 7)), kAllowed},
    {"the last before a middle one", {t(kDns.piece(0, 64, 7))}, t(kDns.piece(128, 200, 7)), kAllowed},
    {"a middle one after the last",
     {t(kDns.piece(0, 64, 7)), t(kDns.piece(128, 200, 7))},
     t(kDns.piece(64, 128, 7)),
     kAllowed},
    {"a later one again", {t(kDns.piece(0, 64, 7)), t(kDns.piece(64, 128, 7))}, t(kDns.piece(64, 128, 7)), kAllowed},
    {"one that overlaps is the host's to refuse",
     {t(kDns.piece(0, 64, 7)), t(kDns.piece(64, 128, 7))},
     t(kDns.piece(96, 160, 7)),
     kAllowed},
    {"a later one before its first", {}, t(kDns.piece(64, 200, 7)), kLost},
    {"a later one under another identification", {t(kDns.piece(0, 64, 7))}, t(kDns.piece(64, 200, 8)), kLost},
    {"a later one of another protocol", {t(kDns.piece(0, 64, 7))}, t(kSsh.piece(64, 200, 7)), kLost},
    {"a later one from another host",
     {t(kDns.piece(0, 64, 7))},
     t((ipv4(kBobV4, kWebV4) / udp(53).carrying(Bytes(192))).piece(64, 200, 7)),
     kLost},
    {"a later one to another host",
     {t(kDns.piece(0, 64, 7))},
     t((ipv4(kAliceV4, "10.1.1.8") / udp(53).carrying(Bytes(192))).piece(64, 200, 7)),
     kLost},
    {"a later one by another interface", {t(kDns.piece(0, 64, 7))}, from_web(kDns.piece(64, 200, 7)), kLost},
    {"a first one that has no rule", {}, t(kClosed.piece(0, 64, 7)), dropped(GW_REASON_DEFAULT)},
    {"a first one by an open flow", {t(kDns)}, t(kDns.piece(0, 64, 7)), kAllowed},
    {"a later one of an open flow without its first", {t(kDns)}, t(kDns.piece(64, 200, 7)), kLost},
    {"a first one in an answer", {t(kDns)}, from_web(kDns.reply().piece(0, 64, 7)), kAllowed},
    {"a later one in an answer",
     {t(kDns), from_web(kDns.reply().piece(0, 64, 7))},
     from_web(kDns.reply().piece(64, 200, 7)),
     kAllowed},
    {"a later one in an answer without its first", {t(kDns)}, from_web(kDns.reply().piece(64, 200, 7)), kLost},
    {"an answer under the question's identification",
     {t(kDns.piece(0, 64, 7))},
     from_web(kDns.reply().piece(64, 200, 7)),
     kLost},
    {"a later one into the tunnel",
     {t(kDns), from_web(kDns.reply().piece(0, 64, 7))},
     to_tunnel(kDns.reply().piece(64, 200, 7)),
     kUnmarked},
    {"a later one into the tunnel without its first", {t(kDns)}, to_tunnel(kDns.reply().piece(64, 200, 7)), kLost},
    {"an echo's first", {}, t(kPing.piece(0, 64, 7)), kAllowed},
    {"an echo's last", {t(kPing.piece(0, 64, 7))}, t(kPing.piece(64, 200, 7)), kAllowed},
    {"another protocol's first of 8 bytes", {}, t(kGre.piece(0, 8, 7)), kAllowed},
    {"another protocol's last", {t(kGre.piece(0, 8, 7))}, t(kGre.piece(8, 16, 7)), kAllowed},
    {"a later one of 8 bytes at 8, of UDP", {t(kDns.piece(0, 8, 7))}, t(kDns.piece(8, 16, 7)), kAllowed},
};
INSTANTIATE_TEST_SUITE_P(FragmentOrder, PacketTable, testing::ValuesIn(in_both_worlds(kOrder)), row_name);

const std::vector<PacketCase> kShapes = {
    {"a first one that cuts the TCP header", {}, t(kSsh.piece(0, 16, 7)), kLost},
    {"a first one of 8 bytes of TCP", {}, t(kSsh.piece(0, 8, 7)), kLost},
    {"a first one with the TCP header whole", {}, t(kSsh.piece(0, 24, 7)), kAllowed},
    {"a first one that cuts the TCP options",
     {},
     t((ipv4(kAliceV4, kWebV4) / tcp(22).carrying(Bytes(180))).but(32, 0x80).piece(0, 24, 7)),
     kLost},
    {"a first one of 8 bytes of UDP", {}, t(kDns.piece(0, 8, 7)), kAllowed},
    {"a later one of TCP at 8", {t(kSsh.piece(0, 24, 7))}, t(kSsh.piece(8, 200, 7)), kLost},
    {"a later one of TCP at 16", {t(kSsh.piece(0, 24, 7))}, t(kSsh.piece(16, 200, 7)), kAllowed},
    {"a later one of TCP at 24", {t(kSsh.piece(0, 24, 7))}, t(kSsh.piece(24, 200, 7)), kAllowed},
    {"an empty first one", {}, t(kDns.piece({.from = 0, .to = 0, .more = true, .id = 7})), kLost},
    {"an empty last one",
     {t(kDns.piece(0, 64, 7))},
     t(kDns.piece({.from = 64, .to = 64, .more = false, .id = 7})),
     kLost},
    {"a first one not cut at 8 bytes", {}, t(kDns.piece(0, 60, 7)), kLost},
    {"a middle one not cut at 8 bytes", {t(kDns.piece(0, 64, 7))}, t(kDns.piece(64, 100, 7)), kLost},
    {"a last one of any length",
     {t(kDns.piece(0, 64, 7))},
     t(kDns.piece({.from = 64, .to = 101, .more = false, .id = 7})),
     kAllowed},
    {"one that ends behind the longest datagram",
     {t(kDns.piece(0, 64, 7))},
     t(kDns.piece(64, 200, 7).but(6, 0x1f).but(7, 0xff)),
     kLost},
    {"one at the greatest offset that fits",
     {t(kDns.piece(0, 64, 7))},
     t(kDns.piece({.from = 64, .to = 71, .more = false, .id = 7}).but(6, 0x1f).but(7, 0xff)),
     kAllowed},
    {"do not fragment on a fragment", {t(kDns.piece(0, 64, 7))}, t(kDns.piece(64, 128, 7).but(6, 0x60)), kAllowed},
    {"a UDP length above the first piece", {}, t(kDns.piece(0, 64, 7)), kAllowed},
    {"a UDP length of 7 in a first piece",
     {},
     t(kDns.but(25, 7).but(24, 0).piece(0, 64, 7)),
     dropped(GW_REASON_MALFORMED)},
};
INSTANTIATE_TEST_SUITE_P(FragmentShape, PacketTable, testing::ValuesIn(in_both_worlds(kShapes)), row_name);

const std::vector<PacketCase> kIpv6 = {
    {"a first one", {}, t(kSix.piece(0, 64, 7)), kAllowed},
    {"the last of two", {t(kSix.piece(0, 64, 7))}, t(kSix.piece(64, 200, 7)), kAllowed},
    {"the last before the middle",
     {t(kSix.piece(0, 64, 7)), t(kSix.piece(128, 200, 7))},
     t(kSix.piece(64, 128, 7)),
     kAllowed},
    {"a later one before its first", {}, t(kSix.piece(64, 200, 7)), kLost},
    {"a later one under another identification", {t(kSix.piece(0, 64, 7))}, t(kSix.piece(64, 200, 0x10007)), kLost},
    {"a later one by another interface", {t(kSix.piece(0, 64, 7))}, from_web(kSix.piece(64, 200, 7)), kLost},
    {"a first one that cuts the TCP header", {}, t(kSsh6.piece(0, 16, 7)), kLost},
    {"a later one of TCP at 8", {t(kSsh6.piece(0, 24, 7))}, t(kSsh6.piece(8, 200, 7)), kLost},
    {"a later one of TCP at 24", {t(kSsh6.piece(0, 24, 7))}, t(kSsh6.piece(24, 200, 7)), kAllowed},
    {"a first one not cut at 8 bytes", {}, t(kSix.piece(0, 60, 7)), kLost},
    {"an empty one", {t(kSix.piece(0, 64, 7))}, t(kSix.piece({.from = 64, .to = 64, .more = false, .id = 7})), kLost},
    {"one that ends behind the longest datagram",
     {t(kSix.piece(0, 64, 7))},
     t(kSix.piece(64, 200, 7).but(42, 0xff).but(43, 0xf8)),
     kLost},
    {"options before the fragment header",
     {t(kSix.extended(IPPROTO_HOPOPTS, kEight).piece(0, 64, 7))},
     t(kSix.extended(IPPROTO_HOPOPTS, kEight).piece(64, 200, 7)),
     kAllowed},
    {"a later one of another protocol", {t(kSix.piece(0, 64, 7))}, t(kSsh6.piece(64, 200, 7)), kLost},
    {"ICMP of IPv4 in a later one",
     {t(kSix.piece(0, 64, 7))},
     t(kSix.piece(64, 200, 7).but(40, IPPROTO_ICMP)),
     dropped(GW_REASON_MALFORMED)},
    {"a first one in an answer into the tunnel",
     {t(kSix), from_web(kSix.reply())},
     to_tunnel(kSix.reply().piece(0, 64, 7)),
     kUnmarked},
};
INSTANTIATE_TEST_SUITE_P(FragmentIpv6, PacketTable, testing::ValuesIn(in_both_worlds(kIpv6)), row_name);

/// Destination options inside the datagram that is cut: the fragment header names them, not UDP.
Packet with_inner_options(size_t from, size_t to) {
  Packet inner = kSix.extended(IPPROTO_DSTOPTS, kEight);
  Bytes whole = inner.layer3();
  Bytes body(whole.begin() + 40, whole.end());
  Transport raw{.protocol = IPPROTO_DSTOPTS, .payload = body, .raw = true};
  return Packet{.ip = kSix.ip, .transport = raw}.piece(from, to, 9);
}
const std::vector<PacketCase> kInnerOptions = {
    {"a first one with options inside", {}, t(with_inner_options(0, 64)), kAllowed},
    {"a later one behind options inside", {t(with_inner_options(0, 64))}, t(with_inner_options(64, 208)), kAllowed},
    {"a first one that ends in its options", {}, t(with_inner_options(0, 8)), kLost},
};
INSTANTIATE_TEST_SUITE_P(FragmentInnerOptions, PacketTable, testing::ValuesIn(in_both_worlds(kInnerOptions)), row_name);

}  // namespace
}  // namespace gw::test
