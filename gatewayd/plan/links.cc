// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/plan/parts.h"

namespace gw::plan {
namespace {

constexpr uint32_t kUsualMtu = 1500;
constexpr uint32_t kBestTunnelMtu = 1420;
constexpr uint32_t kOverhead = 80;           // outer IPv6 and UDP headers, WireGuard header and tag
constexpr uint32_t kSmallestIpv6Mtu = 1280;  // RFC 8200 §5: below it the kernel takes IPv6 off the device

/// The length of the subnet's prefix around `address`; a host's when no prefix holds it.
uint8_t length_around(const config::Subnet& subnet, const IpAddress& address) {
  for (const Prefix& prefix : subnet.prefixes) {
    if (prefix.contains(address)) return prefix.length;
  }
  return static_cast<uint8_t>(address.bits());
}

void want_subnet(const config::Subnet& subnet, Desired& desired) {
  const std::string device = subnet.device();
  if (subnet.vlan) desired.vlans[device] = {.name = device, .parent = subnet.interface, .vlan = *subnet.vlan};
  for (const IpAddress& address : subnet.address)
    desired.addresses.insert({device, address, length_around(subnet, address)});
  for (const Prefix& prefix : subnet.prefixes) {
    const auto via = std::ranges::find(subnet.via, prefix.address.family, &IpAddress::family);
    if (via != subnet.via.end()) desired.routes.insert({prefix, *via, device});
  }
}

}  // namespace

uint32_t vpn_mtu(const config::Vpn& vpn, std::optional<uint32_t> uplink_mtu) {
  if (vpn.mtu) return *vpn.mtu;
  const uint32_t uplink = uplink_mtu.value_or(kUsualMtu);
  return std::clamp(uplink - std::min(uplink, kOverhead), kSmallestIpv6Mtu, kBestTunnelMtu);
}

void want_links(const Intent& intent, Desired& desired) {
  const config::Vpn& vpn = intent.config.vpn;
  desired.vpns[vpn.interface] = {.name = vpn.interface, .mtu = vpn_mtu(vpn, intent.uplink_mtu)};
  for (const Prefix& prefix : vpn.subnets) {
    if (const auto first = prefix.nth(1)) desired.addresses.insert({vpn.interface, *first, prefix.length});
  }
  for (const auto& [name, subnet] : intent.config.subnets) want_subnet(subnet, desired);
  for (const auto& [name, site] : intent.config.sites) {
    for (const Prefix& prefix : site.prefixes) desired.routes.insert({prefix, std::nullopt, vpn.interface});
  }
}

}  // namespace gw::plan
