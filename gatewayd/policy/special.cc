// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/special.h"

#include <array>
#include <vector>

namespace gw::policy {
namespace {

struct Row {
  const char* prefix;
  Reach reach;
};

constexpr auto kRows = std::to_array<Row>({
    {"0.0.0.0/8", Reach::never},           // this network (RFC 791)
    {"10.0.0.0/8", Reach::local},          // RFC 1918
    {"100.64.0.0/10", Reach::local},       // shared address space (RFC 6598)
    {"127.0.0.0/8", Reach::never},         // loopback (RFC 1122)
    {"168.63.129.16/32", Reach::never},    // the cloud platform's own services, at a public address
    {"169.254.0.0/16", Reach::never},      // link-local (RFC 3927): cloud metadata is here
    {"172.16.0.0/12", Reach::local},       // RFC 1918
    {"192.0.0.0/24", Reach::local},        // IETF protocol assignments (RFC 6890)
    {"192.0.0.9/32", Reach::global},       // PCP anycast (RFC 7723)
    {"192.0.0.10/32", Reach::global},      // TURN anycast (RFC 8155)
    {"192.0.2.0/24", Reach::local},        // documentation (RFC 5737)
    {"192.88.99.0/24", Reach::local},      // 6to4 relays, deprecated (RFC 7526)
    {"192.168.0.0/16", Reach::local},      // RFC 1918
    {"198.18.0.0/15", Reach::local},       // benchmarking (RFC 2544)
    {"198.51.100.0/24", Reach::local},     // documentation (RFC 5737)
    {"203.0.113.0/24", Reach::local},      // documentation (RFC 5737)
    {"224.0.0.0/4", Reach::never},         // multicast (RFC 5771)
    {"240.0.0.0/4", Reach::local},         // reserved (RFC 1112)
    {"255.255.255.255/32", Reach::never},  // limited broadcast (RFC 919)
    {"::/128", Reach::never},              // unspecified (RFC 4291)
    {"::1/128", Reach::never},             // loopback (RFC 4291)
    {"::ffff:0:0/96", Reach::never},       // IPv4-mapped (RFC 4291): on the wire it could only pose as IPv4
    {"64:ff9b:1::/48", Reach::local},      // local translation (RFC 8215)
    {"100::/64", Reach::local},            // discard only (RFC 6666)
    {"100:0:0:1::/64", Reach::local},      // dummy prefix (RFC 9780)
    {"2001::/23", Reach::local},           // IETF protocol assignments (RFC 2928), Teredo and ORCHID among them
    {"2001:1::1/128", Reach::global},      // PCP anycast (RFC 7723)
    {"2001:1::2/128", Reach::global},      // TURN anycast (RFC 8155)
    {"2001:1::3/128", Reach::global},      // DNS-SD SRP anycast (RFC 9665)
    {"2001:3::/32", Reach::global},        // AMT (RFC 7450)
    {"2001:4:112::/48", Reach::global},    // AS112 (RFC 7535)
    {"2001:20::/28", Reach::global},       // ORCHIDv2 (RFC 7343)
    {"2001:30::/28", Reach::global},       // drone remote identification (RFC 9374)
    {"2001:db8::/32", Reach::local},       // documentation (RFC 3849)
    {"2002::/16", Reach::local},           // 6to4 (RFC 3056): would carry any IPv4 address past the rules
    {"3fff::/20", Reach::local},           // documentation (RFC 9637)
    {"5f00::/16", Reach::local},           // SRv6 SIDs (RFC 9602)
    {"fc00::/7", Reach::local},            // unique local (RFC 4193)
    {"fe80::/10", Reach::never},           // link-local (RFC 4291)
    {"ff00::/8", Reach::never},            // multicast (RFC 4291)
});

}  // namespace

std::span<const SpecialBlock> special_blocks() {
  static const std::vector<SpecialBlock> blocks = [] {
    std::vector<SpecialBlock> out;
    out.reserve(kRows.size());
    for (const Row& row : kRows) out.push_back({Prefix::parse(row.prefix).value(), row.reach});
    return out;
  }();
  return blocks;
}

}  // namespace gw::policy
