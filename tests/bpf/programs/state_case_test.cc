// SPDX-License-Identifier: Apache-2.0
// Flows over time: what opens one, what belongs to it, when it ends (RFC 9293, RFC 5382, RFC 4787).
#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

constexpr uint64_t kDay = 86400;

const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22);
const Packet kSix = ipv6(kAliceV6, kWebV6) / tcp(22);
const Packet kDns = ipv4(kAliceV4, kWebV4) / udp(53);
const Packet kPing = ipv4(kAliceV4, kWebV4) / icmp(8, 0, 9);
const Packet kSixPing = ipv6(kAliceV6, kWebV6) / icmp(128, 0, 9);
const Packet kGre = ipv4(kAliceV4, kWebV4) / protocol(47);

Sent t(const Packet& packet) { return from_tunnel(packet); }
Sent w(const Packet& packet) { return from_web(packet); }
const Verdict kNoRuleForIt = dropped(GW_REASON_DEFAULT);

std::vector<Sent> operator+(std::vector<Sent> first, const std::vector<Sent>& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}
const std::vector<Sent> kOpening = {t(kSsh)};
const std::vector<Sent> kOpen = kOpening + std::vector<Sent>{w(kSsh.reply()), t(kSsh.with(kAck))};
const std::vector<Sent> kHalfClosed = kOpen + std::vector<Sent>{t(kSsh.with(kFin | kAck)), w(kSsh.reply(kAck))};
const std::vector<Sent> kClosed = kHalfClosed + std::vector<Sent>{w(kSsh.reply(kFin | kAck)), t(kSsh.with(kAck))};
const std::vector<Sent> kReset = kOpen + std::vector<Sent>{w(kSsh.reply(kRst | kAck))};

const std::vector<PacketCase> kTcp = {
    {"a SYN opens", {}, t(kSsh), kAllowed},
    {"a SYN again", kOpening, t(kSsh), kAllowed},
    {"its answer", kOpening, w(kSsh.reply()), kAllowed},
    {"its answer in IPv6", {t(kSix)}, w(kSix.reply()), kAllowed},
    {"a refusal", kOpening, w(kSsh.reply(kRst | kAck)), kAllowed},
    {"an answer without a question", {}, w(kSsh.reply()), kNoRuleForIt},
    {"an ACK without a question", {}, w(kSsh.reply(kAck)), kNoRuleForIt},
    {"a reset without a question", {}, w(kSsh.reply(kRst)), kNoRuleForIt},
    {"mid-stream from the side that a rule allows", {}, t(kSsh.with(kAck)), kAllowed},
    {"a FIN from the side that a rule allows", {}, t(kSsh.with(kFin | kAck)), kAllowed},
    {"a reset from the side that a rule allows", {}, t(kSsh.with(kRst)), kAllowed},
    {"mid-stream comes back after the other side has spoken", {t(kSsh.with(kAck))}, w(kSsh.reply(kAck)), kAllowed},
    {"data both ways", kOpen, w(kSsh.reply(kAck | kPsh)), kAllowed},
    {"urgent data", kOpen, t(kSsh.with(kAck | kUrg)), kAllowed},
    {"a SYN of the answering side", kOpen, w(kSsh.reply(kSyn)), kNoRuleForIt},
    {"the open connection after such a SYN is refused", kOpen, w(kSsh.reply(kAck)), kAllowed},
    {"a SYN while it is open", kOpen, t(kSsh), kAllowed},
    {"another port of the server", kOpen, w(ipv4(kWebV4, kAliceV4) / tcp(40000).from(23).with(kAck)), kNoRuleForIt},
    {"another port of the client", kOpen, w(ipv4(kWebV4, kAliceV4) / tcp(40001).from(22).with(kAck)), kNoRuleForIt},
    {"another server", kOpen, w(ipv4("10.1.1.8", kAliceV4) / tcp(40000).from(22).with(kAck)), kNoRuleForIt},
    {"another client", kOpen, w(ipv4(kWebV4, kBobV4) / tcp(40000).from(22).with(kAck)), kNoRuleForIt},
    {"the same ports in UDP", kOpen, w(ipv4(kWebV4, kAliceV4) / udp(40000).from(22)), kNoRuleForIt},
    {"the same ports in the other family", kOpen, w(kSix.reply(kAck)), kNoRuleForIt},
    {"the server's own connection from port 22", kOpen, w(ipv4(kWebV4, kAliceV4) / tcp(9).from(22)), kNoRuleForIt},
    {"opening, idle for two minutes", kOpening, w(kSsh.reply()).later(120), kAllowed},
    {"opening, idle for four minutes", kOpening, w(kSsh.reply()).later(240), kNoRuleForIt},
    {"refused, idle for 50 s", {t(kSsh), w(kSsh.reply(kRst | kAck))}, w(kSsh.reply(kRst | kAck)).later(50), kAllowed},
    {"refused, idle for 70 s",
     {t(kSsh), w(kSsh.reply(kRst | kAck))},
     w(kSsh.reply(kRst | kAck)).later(70),
     kNoRuleForIt},
    {"refused, and tried again", {t(kSsh), w(kSsh.reply(kRst | kAck)), t(kSsh)}, w(kSsh.reply()), kAllowed},
    {"open, idle for two hours and a half", kOpen, w(kSsh.reply(kAck)).later(9000), kAllowed},
    {"open, idle for four days", kOpen, w(kSsh.reply(kAck)).later(4 * kDay), kAllowed},
    {"open, idle for six days", kOpen, w(kSsh.reply(kAck)).later(6 * kDay), kNoRuleForIt},
    {"open, idle for six days, then the client", kOpen, t(kSsh.with(kAck)).later(6 * kDay), kAllowed},
    {"half closed, idle for an hour", kHalfClosed, w(kSsh.reply(kAck)).later(3600), kAllowed},
    {"half closed, data from the open side", kHalfClosed, w(kSsh.reply(kAck | kPsh)), kAllowed},
    {"closed, the last ACK", kClosed, t(kSsh.with(kAck)), kAllowed},
    {"closed, a FIN again", kClosed, w(kSsh.reply(kFin | kAck)), kAllowed},
    {"closed, idle for 50 s", kClosed, w(kSsh.reply(kFin | kAck)).later(50), kAllowed},
    {"closed, idle for 70 s", kClosed, w(kSsh.reply(kFin | kAck)).later(70), kNoRuleForIt},
    {"closed, a SYN on the same ports", kClosed, t(kSsh), kAllowed},
    {"closed, opened again on the same ports", kClosed + kOpening, w(kSsh.reply()), kAllowed},
    {"closed, opened again, idle for an hour", kClosed + kOpen, w(kSsh.reply(kAck)).later(3600), kAllowed},
    {"closed, a SYN of the server", kClosed, w(kSsh.reply(kSyn)), kNoRuleForIt},
    {"reset, what was on its way", kReset, w(kSsh.reply(kAck)), kAllowed},
    {"reset, idle for 50 s", kReset, w(kSsh.reply(kAck)).later(50), kAllowed},
    {"reset, idle for 70 s", kReset, w(kSsh.reply(kAck)).later(70), kNoRuleForIt},
    {"reset by the client, idle for 70 s", kOpen + std::vector<Sent>{t(kSsh.with(kRst))}, w(kSsh.reply(kAck)).later(70),
     kNoRuleForIt},
    {"reset, opened again on the same ports", kReset + kOpening, w(kSsh.reply()), kAllowed},
    {"a super-packet of an open connection", kOpen, t(kSsh.with(kAck)).superpacket(40), kAllowed},
    {"a super-packet that is refused counts as many",
     {},
     t(ipv4(kAliceV4, kWebV4) / tcp(23)).superpacket(40),
     kNoRuleForIt},
};
INSTANTIATE_TEST_SUITE_P(TcpState, PacketTable, testing::ValuesIn(in_both_worlds(kTcp)), row_name);

const std::vector<PacketCase> kOthers = {
    {"a UDP answer", {t(kDns)}, w(kDns.reply()), kAllowed},
    {"a UDP answer without a question", {}, w(kDns.reply()), kNoRuleForIt},
    {"a UDP answer from another port", {t(kDns)}, w(ipv4(kWebV4, kAliceV4) / udp(40000).from(54)), kNoRuleForIt},
    {"a UDP answer from another host", {t(kDns)}, w(ipv4("10.1.1.8", kAliceV4) / udp(40000).from(53)), kNoRuleForIt},
    {"UDP one way, idle for 170 s", {t(kDns)}, w(kDns.reply()).later(170), kAllowed},
    {"UDP one way, idle for 190 s", {t(kDns)}, w(kDns.reply()).later(190), kNoRuleForIt},
    {"UDP both ways, idle for 170 s", {t(kDns), w(kDns.reply())}, w(kDns.reply()).later(170), kAllowed},
    {"UDP both ways, idle for 190 s", {t(kDns), w(kDns.reply())}, w(kDns.reply()).later(190), kNoRuleForIt},
    {"UDP that speaks every two minutes",
     {t(kDns), w(kDns.reply()), t(kDns).later(120), w(kDns.reply()).later(120)},
     w(kDns.reply()).later(120),
     kAllowed},
    {"UDP idle for 190 s, then the client", {t(kDns), w(kDns.reply())}, t(kDns).later(190), kAllowed},
    {"an echo's answer", {t(kPing)}, w(kPing.reply()), kAllowed},
    {"an echo's answer twice", {t(kPing), w(kPing.reply())}, w(kPing.reply()), kAllowed},
    {"an echo's answer without a question", {}, w(kPing.reply()), kNoRuleForIt},
    {"an answer to another echo", {t(kPing)}, w(ipv4(kWebV4, kAliceV4) / icmp(0, 0, 10)), kNoRuleForIt},
    {"the other side's own echo", {t(kPing)}, w(ipv4(kWebV4, kAliceV4) / icmp(8, 0, 9)), kNoRuleForIt},
    {"an echo's answer from another host", {t(kPing)}, w(ipv4("10.1.1.8", kAliceV4) / icmp(0, 0, 9)), kNoRuleForIt},
    {"an echo's answer of another kind", {t(kPing)}, w(ipv4(kWebV4, kAliceV4) / icmp(14, 0, 9)), kNoRuleForIt},
    {"a timestamp's answer",
     {t(ipv4(kAliceV4, kWebV4) / icmp(13, 0, 9))},
     w(ipv4(kWebV4, kAliceV4) / icmp(14, 0, 9)),
     kAllowed},
    {"an information answer",
     {t(ipv4(kAliceV4, kWebV4) / icmp(15, 0, 9))},
     w(ipv4(kWebV4, kAliceV4) / icmp(16, 0, 9)),
     kAllowed},
    {"an address mask answer",
     {t(ipv4(kAliceV4, kWebV4) / icmp(17, 0, 9))},
     w(ipv4(kWebV4, kAliceV4) / icmp(18, 0, 9)),
     kAllowed},
    {"an echo, idle for 190 s", {t(kPing)}, w(kPing.reply()).later(190), kNoRuleForIt},
    {"an answer that nobody asked for opens nothing",
     {t(ipv4(kAliceV4, kWebV4) / icmp(0, 0, 9))},
     w(ipv4(kWebV4, kAliceV4) / icmp(8, 0, 9)),
     kNoRuleForIt},
    {"an error opens nothing",
     {t(ipv4(kAliceV4, kWebV4) / icmp(3, 1))},
     w(ipv4(kWebV4, kAliceV4) / icmp(3, 1)),
     kNoRuleForIt},
    {"an IPv6 echo's answer", {t(kSixPing)}, w(kSixPing.reply()), kAllowed},
    {"the other side's own IPv6 echo", {t(kSixPing)}, w(ipv6(kWebV6, kAliceV6) / icmp(128, 0, 9)), kNoRuleForIt},
    {"an IPv6 answer to another echo", {t(kSixPing)}, w(ipv6(kWebV6, kAliceV6) / icmp(129, 0, 10)), kNoRuleForIt},
    {"another protocol's answer", {t(kGre)}, w(ipv4(kWebV4, kAliceV4) / protocol(47)), kAllowed},
    {"another protocol's answer without a question", {}, w(ipv4(kWebV4, kAliceV4) / protocol(47)), kNoRuleForIt},
    {"the answer of yet another protocol", {t(kGre)}, w(ipv4(kWebV4, kAliceV4) / protocol(50)), kNoRuleForIt},
    {"another protocol, idle for 190 s", {t(kGre)}, w(ipv4(kWebV4, kAliceV4) / protocol(47)).later(190), kNoRuleForIt},
};
INSTANTIATE_TEST_SUITE_P(OtherState, PacketTable, testing::ValuesIn(in_both_worlds(kOthers)), row_name);

const Packet kOut = ipv4(kAliceV4, "8.8.8.8") / udp(53);
const std::vector<PacketCase> kIntoTheTunnel = {
    {"the answer of an open flow", kOpen, to_tunnel(kSsh.reply(kAck)), kUnmarked},
    {"nothing without a flow", {}, to_tunnel(kSsh.reply(kAck)), dropped(GW_REASON_NO_FLOW)},
    {"a SYN of the server", kOpen, to_tunnel(kSsh.reply(kSyn)), dropped(GW_REASON_NO_FLOW)},
    {"a flow idle for too long", kOpen, to_tunnel(kSsh.reply(kAck)).later(6 * kDay), dropped(GW_REASON_NO_FLOW)},
    {"a closed flow, soon", kClosed, to_tunnel(kSsh.reply(kFin | kAck)), kUnmarked},
    {"a closed flow, late", kClosed, to_tunnel(kSsh.reply(kFin | kAck)).later(70), dropped(GW_REASON_NO_FLOW)},
    {"a translated answer", {t(kOut)}, to_tunnel(kOut.reply()), kUnmarked},
    {"a translated answer, late", {t(kOut)}, to_tunnel(kOut.reply()).later(190), dropped(GW_REASON_NO_FLOW)},
    {"a translated answer from elsewhere",
     {t(kOut)},
     to_tunnel(ipv4("8.8.4.4", kAliceV4) / udp(40000).from(53)),
     dropped(GW_REASON_NO_FLOW)},
    {"an echo's answer", {t(kPing)}, to_tunnel(kPing.reply()), kUnmarked},
    {"between clients, what the first sent",
     {t(ipv4(kAliceV4, "172.16.201.1") / icmp(8))},
     to_tunnel(ipv4(kAliceV4, kBobV4) / icmp(8)),
     dropped(GW_REASON_NO_FLOW)},
};
INSTANTIATE_TEST_SUITE_P(IntoTheTunnel, PacketTable, testing::ValuesIn(in_standard_world(kIntoTheTunnel)), row_name);

}  // namespace
}  // namespace gw::test
