// SPDX-License-Identifier: Apache-2.0
// Services at their edges, the order of rules, and who a source is.
#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

Packet web(const Transport& transport) { return ipv4(kAliceV4, kWebV4) / transport; }
Packet six(const Transport& transport) { return ipv6(kAliceV6, kWebV6) / transport; }
Sent t(const Packet& packet) { return from_tunnel(packet); }
const Verdict kNoRuleForIt = dropped(GW_REASON_DEFAULT);
const Verdict kDenied = dropped(GW_REASON_RULE);

const std::vector<std::string> kPorts = {"allow vpn -> subnet:web tcp/0,tcp/1000-2000,tcp/65535,udp/4096-8191",
                                         "allow vpn -> subnet:web icmp/8,icmp/13,icmp/128,proto/0,proto/47,proto/255"};
const std::vector<PacketCase> kEdges = {
    {"port 0", {}, t(web(tcp(0))), kAllowed},
    {"port 1", {}, t(web(tcp(1))), kNoRuleForIt},
    {"below a range", {}, t(web(tcp(999))), kNoRuleForIt},
    {"the first of a range", {}, t(web(tcp(1000))), kAllowed},
    {"the second of a range", {}, t(web(tcp(1001))), kAllowed},
    {"amid a range", {}, t(web(tcp(1536))), kAllowed},
    {"the last but one of a range", {}, t(web(tcp(1999))), kAllowed},
    {"the last of a range", {}, t(web(tcp(2000))), kAllowed},
    {"above a range", {}, t(web(tcp(2001))), kNoRuleForIt},
    {"the same digits a page on", {}, t(web(tcp(1000 + 4096))), kNoRuleForIt},
    {"the last port but one", {}, t(web(tcp(65534))), kNoRuleForIt},
    {"the last port", {}, t(web(tcp(65535))), kAllowed},
    {"the same range in UDP", {}, t(web(udp(1500))), kNoRuleForIt},
    {"below an aligned range", {}, t(web(udp(4095))), kNoRuleForIt},
    {"the first of an aligned range", {}, t(web(udp(4096))), kAllowed},
    {"the last of an aligned range", {}, t(web(udp(8191))), kAllowed},
    {"above an aligned range", {}, t(web(udp(8192))), kNoRuleForIt},
    {"UDP port 0", {}, t(web(udp(0))), kNoRuleForIt},
    {"the port as the source", {}, t(web(tcp(1).from(1500))), kNoRuleForIt},
    {"IPv6, the first of a range", {}, t(six(tcp(1000))), kAllowed},
    {"IPv6, above a range", {}, t(six(tcp(2001))), kNoRuleForIt},
    {"an echo", {}, t(web(icmp(8))), kAllowed},
    {"an echo with a code", {}, t(web(icmp(8, 1))), kAllowed},
    {"the type before", {}, t(web(icmp(7))), kNoRuleForIt},
    {"the type behind", {}, t(web(icmp(9))), kNoRuleForIt},
    {"a timestamp request", {}, t(web(icmp(13))), kAllowed},
    {"an answer that nobody asked for", {}, t(web(icmp(0))), kNoRuleForIt},
    {"ICMP type 128 in IPv4 is the same number", {}, t(web(icmp(128))), kAllowed},
    {"an IPv6 echo", {}, t(six(icmp(128))), kAllowed},
    {"an IPv6 answer", {}, t(six(icmp(129))), kNoRuleForIt},
    {"ICMPv6 type 8 is the same number", {}, t(six(icmp(8))), kAllowed},
    {"protocol 47", {}, t(web(protocol(47))), kAllowed},
    {"protocol 46", {}, t(web(protocol(46))), kNoRuleForIt},
    {"protocol 48", {}, t(web(protocol(48))), kNoRuleForIt},
    {"protocol 0 in IPv4", {}, t(web(protocol(0))), kAllowed},
    {"protocol 255", {}, t(web(protocol(255))), kAllowed},
};
INSTANTIATE_TEST_SUITE_P(ServiceEdge, PacketTable, testing::ValuesIn(under(kPorts, kEdges)), row_name);

const std::vector<std::string> kOrder = {
    "deny client:alice -> 10.1.1.66/32 any",   "allow group:dev -> subnet:web tcp/22,udp/53",
    "deny group:dev -> subnet:web tcp/20-30",  "reject group:dev -> subnet:web tcp",
    "allow group:dev -> subnet:data any",      "deny any -> subnet:data tcp/5432 log",
    "allow site:parents -> subnet:web tcp/80", "allow subnet:web -> subnet:data tcp/5433",
    "allow subnet:far -> subnet:web tcp/80",   "deny vpn -> gateway tcp/23",
    "allow group:dev -> gateway tcp/22",       "allow internet -> subnet:web tcp/80",
    "deny client:bob -> client:alice tcp/22"};
const std::vector<PacketCase> kRules = {
    {"allowed before it is denied", {}, t(web(tcp(22))), kAllowed},
    {"denied before it is rejected", {}, t(web(tcp(23))), kDenied},
    {"rejected", {}, t(web(tcp(31))), kRejected},
    {"allowed in UDP by the same rule", {}, t(web(udp(53))), kAllowed},
    {"no rule for it in UDP", {}, t(web(udp(54))), kNoRuleForIt},
    {"a literal that is denied first", {}, t(ipv4(kAliceV4, "10.1.1.66") / tcp(22)), kDenied},
    {"allowed before any is denied", {}, t(ipv4(kAliceV4, kDataV4) / tcp(5432)), kAllowed},
    {"denied for any", {}, t(ipv4(kBobV4, kDataV4) / tcp(5432)), kDenied},
    {"denied for any, from a subnet", {}, from_web(ipv4(kWebV4, kDataV4) / tcp(5432)), kDenied},
    {"between subnets", {}, from_web(ipv4(kWebV4, kDataV4) / tcp(5433)), kAllowed},
    {"the other way between subnets", {}, from_data(ipv4(kDataV4, kWebV4) / tcp(5433)), kNoRuleForIt},
    {"another group", {}, t(ipv4(kBobV4, kWebV4) / tcp(22)), kNoRuleForIt},
    {"out of a site", {}, t(ipv4("192.168.50.9", kWebV4) / tcp(80)), kAllowed},
    {"the first address of a site", {}, t(ipv4("192.168.50.0", kWebV4) / tcp(80)), kAllowed},
    {"below a site", {}, t(ipv4("192.168.49.255", kWebV4) / tcp(80)), dropped(GW_REASON_SOURCE)},
    {"above a site", {}, t(ipv4("192.168.51.0", kWebV4) / tcp(80)), dropped(GW_REASON_SOURCE)},
    {"a site's address on a subnet",
     {},
     from_web(ipv4("192.168.50.9", kDataV4) / tcp(5433)),
     dropped(GW_REASON_SOURCE)},
    {"a routed subnet by the public card", {}, from_uplink(ipv4("10.1.9.9", kWebV4) / tcp(80)), kAllowed},
    {"a routed subnet by another card", {}, from_web(ipv4("10.1.9.9", kWebV4) / tcp(80)), dropped(GW_REASON_SOURCE)},
    {"the internet may send to nobody, whatever the rules",
     {},
     from_uplink(ipv4("8.8.8.8", kWebV4) / tcp(80)),
     dropped(GW_REASON_SOURCE)},
    {"the gateway by a rule", {}, t(ipv4(kAliceV4, kGatewayV4) / tcp(22)), kTracked},
    {"the gateway against a rule", {}, t(ipv4(kAliceV4, kGatewayV4) / tcp(23)), kDenied},
    {"the gateway by no rule", {}, t(ipv4(kAliceV4, kGatewayV4) / tcp(24)), kUnmarked},
    {"the gateway's address is not in its subnet", {}, from_web(ipv4(kWebV4, kGatewayV4) / tcp(80)), kUnmarked},
    {"members of an interconnected group", {}, t(ipv4(kAliceV4, kBobV4) / tcp(1)), kAllowed},
    {"and back", {}, t(ipv4(kBobV4, kAliceV4) / udp(9)), kAllowed},
    {"a written deny beats it", {}, t(ipv4(kBobV4, kAliceV4) / tcp(22)), kDenied},
    {"who is not in the group", {}, t(ipv4("172.16.201.7", kAliceV4) / tcp(1)), kNoRuleForIt},
};
INSTANTIATE_TEST_SUITE_P(RuleOrder, PacketTable, testing::ValuesIn(under(kOrder, kRules)), row_name);

/// Sources on the side that may send anything to the gateway: from the outside world.
std::vector<PacketCase> foreign_sources() {
  std::vector<PacketCase> out;
  const auto add = [&](const char* source, Verdict verdict) {
    out.push_back({std::string("to the gateway from ") + source,
                   {},
                   from_uplink(ipv4(source, "203.0.113.1") / udp(51820)),
                   verdict});
    out.push_back({std::string("to a subnet from ") + source,
                   {},
                   from_uplink(ipv4(source, "10.1.1.8") / udp(53)),
                   dropped(GW_REASON_SOURCE)});
  };
  for (const char* source : {"8.8.8.8", "168.63.129.16", "169.254.169.254", "192.168.1.1", "100.64.0.1", "240.0.0.1"})
    add(source, kUnmarked);
  for (const char* source :
       {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", kAliceV4, kWebV4,
        kDataV4, "10.1.1.1", "172.16.201.200", "192.168.50.1"})
    add(source, dropped(GW_REASON_SOURCE));
  return out;
}
const std::vector<PacketCase> kSameAddress = {
    {"land, out of the tunnel", {}, t(ipv4(kAliceV4, kAliceV4) / tcp(22).from(22)), dropped(GW_REASON_LAND)},
    {"land with other ports", {}, t(ipv4(kAliceV4, kAliceV4) / udp(53)), dropped(GW_REASON_LAND)},
    {"land in IPv6", {}, t(ipv6(kAliceV6, kAliceV6) / tcp(22)), dropped(GW_REASON_LAND)},
    {"land on a subnet", {}, from_web(ipv4(kWebV4, kWebV4) / tcp(80)), dropped(GW_REASON_LAND)},
    {"land at the gateway", {}, from_uplink(ipv4("203.0.113.1", "203.0.113.1") / tcp(22)), dropped(GW_REASON_LAND)},
    {"an echo to itself", {}, from_web(ipv4(kWebV4, kWebV4) / icmp(8)), dropped(GW_REASON_LAND)},
    {"to a neighbour by way of the gateway", {}, from_web(ipv4(kWebV4, "10.1.1.8") / tcp(80)), kAllowed},
};
INSTANTIATE_TEST_SUITE_P(ForeignSource, PacketTable, testing::ValuesIn(under({"allow any -> any any"}, kSameAddress)),
                         row_name);
INSTANTIATE_TEST_SUITE_P(OutsideSource, PacketTable,
                         testing::ValuesIn(under({"allow vpn -> subnet:web any"}, foreign_sources())), row_name);

}  // namespace
}  // namespace gw::test
