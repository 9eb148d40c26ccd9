// SPDX-License-Identifier: Apache-2.0
// The zones `internet` and `any` at the edges of the IANA special-purpose registries (RFC 6890), and what is never
// forwarded unless a rule names it.
#include "tests/bpf/programs/packet_case.h"

namespace gw::test {
namespace {

enum class Reaches { internet, any, ours, nothing };  // ours: configured, so `any`, but not masqueraded
using enum Reaches;

struct Address {
  const char* text;
  Reaches reach;
};

constexpr Address kAddresses[] = {
    {"0.0.0.0", nothing},
    {"0.255.255.255", nothing},
    {"1.0.0.0", internet},
    {"8.8.8.8", internet},
    {"9.255.255.255", internet},
    {"10.0.0.0", any},
    {"10.1.3.9", ours},
    {"10.255.255.255", any},
    {"11.0.0.0", internet},
    {"100.63.255.255", internet},
    {"100.64.0.0", any},
    {"100.127.255.255", any},
    {"100.128.0.0", internet},
    {"126.255.255.255", internet},
    {"127.0.0.0", nothing},
    {"127.0.0.1", nothing},
    {"127.255.255.255", nothing},
    {"128.0.0.0", internet},
    {"168.63.129.15", internet},
    {"168.63.129.16", nothing},
    {"168.63.129.17", internet},
    {"169.253.255.255", internet},
    {"169.254.0.0", nothing},
    {"169.254.169.254", nothing},
    {"169.254.255.255", nothing},
    {"169.255.0.0", internet},
    {"172.15.255.255", internet},
    {"172.16.0.0", any},
    {"172.31.255.255", any},
    {"172.32.0.0", internet},
    {"191.255.255.255", internet},
    {"192.0.0.0", any},
    {"192.0.0.8", any},
    {"192.0.0.9", internet},
    {"192.0.0.10", internet},
    {"192.0.0.11", any},
    {"192.0.0.255", any},
    {"192.0.1.0", internet},
    {"192.0.2.1", any},
    {"192.88.98.255", internet},
    {"192.88.99.1", any},
    {"192.88.100.0", internet},
    {"192.167.255.255", internet},
    {"192.168.0.0", any},
    {"192.168.50.1", ours},
    {"192.168.255.255", any},
    {"192.169.0.0", internet},
    {"198.17.255.255", internet},
    {"198.18.0.0", any},
    {"198.19.255.255", any},
    {"198.20.0.0", internet},
    {"198.51.100.1", any},
    {"203.0.113.7", any},
    {"223.255.255.255", internet},
    {"240.0.0.0", any},
    {"255.255.255.254", any},
    {"::", nothing},
    {"::1", nothing},
    {"64:ff9b::808:808", internet},
    {"64:ff9b:1::1", any},
    {"100::1", any},
    {"100:0:0:1::1", any},
    {"2001::1", any},
    {"2001:1::1", internet},
    {"2001:1::2", internet},
    {"2001:1::3", internet},
    {"2001:1::4", any},
    {"2001:3::1", internet},
    {"2001:4:112::1", internet},
    {"2001:4:113::1", any},
    {"2001:20::1", internet},
    {"2001:2f:ffff::1", internet},
    {"2001:30::1", internet},
    {"2001:40::1", any},
    {"2001:1ff:ffff::1", any},
    {"2001:200::1", internet},
    {"2001:db7:ffff::1", internet},
    {"2001:db8::1", any},
    {"2001:db9::1", internet},
    {"2002::1", any},
    {"2003::1", internet},
    {"2606:4700::1111", internet},
    {"3ffe:ffff::1", internet},
    {"3fff::1", any},
    {"3fff:1000::1", internet},
    {"5f00::1", any},
    {"fc00::1", any},
    {"fdff::1", any},
};

Packet to(const char* address) {
  const IpAddress destination = IpAddress::parse(address).value();
  const IpAddress alice = IpAddress::parse(destination.family == Family::v4 ? kAliceV4 : kAliceV6).value();
  return IpHeader{alice, destination} / tcp(80);
}

const Verdict kNever = dropped(GW_REASON_NEVER_FORWARDED);

std::vector<PacketCase> addresses(const std::string& zone) {
  std::vector<PacketCase> out;
  for (const Address& row : kAddresses) {
    Verdict verdict = kTracked;  // masqueraded
    if (zone != "any" && (row.reach == any || row.reach == ours)) verdict = dropped(GW_REASON_DEFAULT);
    if (zone == "any" && row.reach == ours) verdict = kAllowed;
    if (row.reach == nothing) verdict = kNever;
    out.push_back({zone + " and " + row.text, {}, from_tunnel(to(row.text)), verdict});
  }
  return out;
}
INSTANTIATE_TEST_SUITE_P(Internet, PacketTable,
                         testing::ValuesIn(under({"allow vpn -> internet any"}, addresses("internet"))), row_name);
INSTANTIATE_TEST_SUITE_P(Any, PacketTable, testing::ValuesIn(under({"allow any -> any any"}, addresses("any"))),
                         row_name);

const std::vector<std::string> kLiterals = {"allow vpn -> 169.254.169.254/32,168.63.129.16/32,fe80::/10 tcp/80",
                                            "allow vpn -> 10.1.1.7/32,fd10:1:1::7/128,8.8.8.0/24,10.1.3.0/24 tcp/80",
                                            "allow client:alice -> 0.0.0.0/0 tcp/81"};
const std::vector<PacketCase> kNamed = {
    {"cloud metadata that a rule names", {}, from_tunnel(to("169.254.169.254")), kTracked},
    {"its neighbour", {}, from_tunnel(to("169.254.169.253")), kNever},
    {"the platform's address that a rule names", {}, from_tunnel(to("168.63.129.16")), kTracked},
    {"the named one by another port",
     {},
     from_tunnel(ipv4(kAliceV4, "168.63.129.16") / tcp(443)),
     dropped(GW_REASON_DEFAULT)},
    {"link-local of IPv6 stays on the link, named or not", {}, from_tunnel(to("fe80::1")), kUnmarked},
    {"a literal host", {}, from_tunnel(to("10.1.1.7")), kAllowed},
    {"the host beside it", {}, from_tunnel(to("10.1.1.8")), dropped(GW_REASON_DEFAULT)},
    {"a literal IPv6 host", {}, from_tunnel(to("fd10:1:1::7")), kAllowed},
    {"the IPv6 host beside it", {}, from_tunnel(to("fd10:1:1::6")), dropped(GW_REASON_DEFAULT)},
    {"the first of a literal prefix", {}, from_tunnel(to("8.8.8.0")), kTracked},
    {"the last of a literal prefix", {}, from_tunnel(to("8.8.8.255")), kTracked},
    {"below a literal prefix", {}, from_tunnel(to("8.8.7.255")), dropped(GW_REASON_DEFAULT)},
    {"above a literal prefix", {}, from_tunnel(to("8.8.9.0")), dropped(GW_REASON_DEFAULT)},
    {"a literal in no subnet", {}, from_tunnel(to("10.1.3.200")), kAllowed},
    {"all of IPv4 as a literal is no name for metadata",
     {},
     from_tunnel(ipv4(kAliceV4, "169.254.169.254") / tcp(81)),
     dropped(GW_REASON_DEFAULT)},
    {"nor for loopback", {}, from_tunnel(ipv4(kAliceV4, "127.0.0.1") / tcp(81)), kNever},
    {"all of IPv4 as a literal", {}, from_tunnel(ipv4(kAliceV4, "10.1.2.7") / tcp(81)), kAllowed},
    {"a literal has the clients too", {}, from_tunnel(ipv4(kAliceV4, kBobV4) / tcp(81)), kAllowed},
    {"and the gateway", {}, from_tunnel(ipv4(kAliceV4, kGatewayV4) / tcp(81)), kTracked},
    {"but not unassigned addresses",
     {},
     from_tunnel(ipv4(kAliceV4, "172.16.201.200") / tcp(81)),
     dropped(GW_REASON_UNASSIGNED)},
};
INSTANTIATE_TEST_SUITE_P(Literal, PacketTable, testing::ValuesIn(under(kLiterals, kNamed)), row_name);

}  // namespace
}  // namespace gw::test
