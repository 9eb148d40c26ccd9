// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/profile_format.h"

// systemd.netdev(5), systemd.network(5).
namespace gw::ctl {
namespace {

// Of a full tunnel: its own packets carry the mark and go by table main; all others find its routes in this table.
constexpr unsigned kMarkAndTable = 51820;

}  // namespace

Secret networkd_netdev(const Profile& profile) {
  Secret out;
  out.text.reserve(8192);  // growing would leave copies of the key in freed memory
  const Secret key(key_text(profile));
  const bool full = is_full_tunnel(profile);
  out.text += fmt::format("# Client {} of gateway {}. Valid until {}.\n[NetDev]\nName={}\nKind=wireguard\n",
                          profile.client, profile.gateway, day_and_time(profile.not_after), interface_of(profile));
  if (profile.mtu != 0) out.text += fmt::format("MTUBytes={}\n", profile.mtu);
  out.text += "\n[WireGuard]\nPrivateKey=";
  out.text.append(key.text).append("\n");
  if (full) out.text += fmt::format("FirewallMark={}\n", kMarkAndTable);
  out.text += fmt::format(
      "\n[WireGuardPeer]\nPublicKey={}\nEndpoint={}\nAllowedIPs={}\nPersistentKeepalive={}\nRouteTable={}\n",
      profile.gateway_public_key, profile.endpoint, fmt::join(profile.allowed_ips, ","), kKeepalive,
      full ? std::to_string(kMarkAndTable) : "main");
  return out;
}

Secret networkd_network(const Profile& profile) {
  Secret out;
  const bool full = is_full_tunnel(profile);
  out.text += fmt::format("# Client {} of gateway {}.\n[Match]\nName={}\n\n[Network]\n", profile.client,
                          profile.gateway, interface_of(profile));
  for (const std::string& address : profile.addresses) out.text += "Address=" + address + "\n";
  for (const std::string& server : profile.dns) out.text += "DNS=" + server + "\n";
  if (!profile.dns.empty()) {
    std::string domains = profile.dns_domain;
    if (full) domains += domains.empty() ? "~." : " ~.";
    if (!domains.empty()) out.text += "Domains=" + domains + "\n";
    out.text += fmt::format("DNSDefaultRoute={}\n", full ? "yes" : "no");
  }
  if (full) {
    // What table main knows without its default route stays outside: the printer beside the desk.
    out.text += fmt::format(
        "\n[RoutingPolicyRule]\nFamily=both\nTable=main\nSuppressPrefixLength=0\nPriority=9\n"
        "\n[RoutingPolicyRule]\nFamily=both\nFirewallMark={0}\nInvertRule=yes\nTable={0}\nPriority=10\n",
        kMarkAndTable);
  }
  return out;
}

}  // namespace gw::ctl
