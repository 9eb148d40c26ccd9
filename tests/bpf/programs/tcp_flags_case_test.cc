// SPDX-License-Identifier: Apache-2.0
// Which sets of TCP flags are packets at all (RFC 9293 section 3.10.7).
#include <set>

#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

constexpr uint8_t kEce = 0x40, kCwr = 0x80;
const std::set<uint8_t> kSets = {kSyn,        kSyn | kUrg, kSyn | kAck,       kRst, kRst | kAck, kAck,
                                 kAck | kUrg, kFin | kAck, kFin | kAck | kUrg};

std::string words(uint8_t flags) {
  static constexpr std::array kNames = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
  std::string out;
  for (size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((flags >> bit & 1U) != 0) out += std::string(out.empty() ? "" : " ") + kNames.at(bit);
  }
  return out.empty() ? "none" : out;
}

/// Every set of the six flags of RFC 793, over both families, as a first packet and in an open flow.
std::vector<PacketCase> all_sets() {
  std::vector<PacketCase> out;
  for (uint8_t flags = 0; flags < 64; ++flags) {
    const Packet ssh = flags % 2 == 0 ? ipv4(kAliceV4, kWebV4) / tcp(22) : ipv6(kAliceV6, kWebV6) / tcp(22);
    const uint8_t known = flags & static_cast<uint8_t>(~kPsh);
    const Verdict verdict = kSets.contains(known) ? kAllowed : dropped(GW_REASON_TCP_FLAGS);
    out.push_back({"flags " + words(flags), {}, from_tunnel(ssh.with(flags)), verdict});
    out.push_back({"in an open flow, flags " + words(flags),
                   {from_tunnel(ssh), from_web(ssh.reply())},
                   from_tunnel(ssh.with(flags)),
                   verdict});
  }
  for (const uint8_t flags : {kSyn | kEce | kCwr, kSyn | kAck | kEce, kAck | kCwr | kPsh})
    out.push_back({"congestion is no fault, " + words(static_cast<uint8_t>(flags)),
                   {},
                   from_tunnel(ipv4(kAliceV4, kWebV4) / tcp(22).with(static_cast<uint8_t>(flags))),
                   kAllowed});
  for (const uint8_t flags : {kEce | kCwr, kSyn | kFin | kEce | kCwr, 0xff})
    out.push_back({"congestion heals no fault, " + words(static_cast<uint8_t>(flags)),
                   {},
                   from_tunnel(ipv4(kAliceV4, kWebV4) / tcp(22).with(static_cast<uint8_t>(flags))),
                   dropped(GW_REASON_TCP_FLAGS)});
  return out;
}
INSTANTIATE_TEST_SUITE_P(TcpFlags, PacketTable, testing::ValuesIn(in_both_worlds(all_sets())), row_name);

const Packet kSsh = ipv4(kAliceV4, kWebV4) / tcp(22);
const std::vector<PacketCase> kElsewhere = {
    {"impossible flags to a port that nothing opens",
     {},
     from_tunnel(ipv4(kAliceV4, kWebV4) / tcp(23).with(0)),
     dropped(GW_REASON_TCP_FLAGS)},
    {"impossible flags to the gateway",
     {},
     from_tunnel(ipv4(kAliceV4, "172.16.201.1") / tcp(22).with(kSyn | kFin)),
     dropped(GW_REASON_TCP_FLAGS)},
    {"impossible flags from outside to the gateway",
     {},
     from_uplink(ipv4("8.8.8.8", "203.0.113.1") / tcp(22).with(kFin | kPsh | kUrg)),
     dropped(GW_REASON_TCP_FLAGS)},
    {"impossible flags in an answer",
     {from_tunnel(kSsh)},
     from_web(kSsh.reply(kSyn | kFin)),
     dropped(GW_REASON_TCP_FLAGS)},
    {"impossible flags on the way into the tunnel",
     {from_tunnel(kSsh), from_web(kSsh.reply())},
     to_tunnel(kSsh.reply(0)),
     dropped(GW_REASON_TCP_FLAGS)},
    {"impossible flags in a first fragment",
     {},
     from_tunnel((ipv4(kAliceV4, kWebV4) / tcp(22).with(0).carrying(Bytes(40))).piece(0, 32, 1)),
     dropped(GW_REASON_TCP_FLAGS)},
};
INSTANTIATE_TEST_SUITE_P(TcpFlagsElsewhere, PacketTable, testing::ValuesIn(in_standard_world(kElsewhere)), row_name);

}  // namespace
}  // namespace gw::test
