// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/profile_format.h"

// nm-settings-keyfile(5), nm-settings(5).
namespace gw::ctl {
namespace {

bool is_v6(const std::string& address) { return address.find(':') != std::string::npos; }

void add_family(std::string& out, const Profile& profile, bool v6) {
  out += v6 ? "\n[ipv6]\n" : "\n[ipv4]\n";
  int count = 0;
  for (const std::string& address : profile.addresses)
    if (is_v6(address) == v6) out += fmt::format("address{}={}\n", ++count, address);
  out += count == 0 ? "method=disabled\n" : "method=manual\n";
  std::string servers;
  for (const std::string& server : profile.dns)
    if (is_v6(server) == v6) servers += server + ";";
  if (count == 0 || servers.empty()) return;
  out += "dns=" + servers + "\n";
  // With a full tunnel these servers are asked everything; else only what lies below the domain.
  std::string search = profile.dns_domain.empty() ? "" : profile.dns_domain + ";";
  if (is_full_tunnel(profile)) search += "~.;";
  if (!search.empty()) out += "dns-search=" + search + "\n";
}

}  // namespace

Secret networkmanager_keyfile(const Profile& profile) {
  Secret out;
  out.text.reserve(8192);  // growing would leave copies of the key in freed memory
  const Secret key(key_text(profile));
  out.text += fmt::format(
      "# Client {} of gateway {}. Valid until {}.\n"
      "[connection]\nid={}\nuuid={}\ntype=wireguard\ninterface-name={}\n\n[wireguard]\nprivate-key=",
      profile.client, profile.gateway, day_and_time(profile.not_after), profile.client,
      profile_uuid(profile, "networkmanager"), interface_of(profile));
  out.text.append(key.text).append("\n");
  if (profile.mtu != 0) out.text += fmt::format("mtu={}\n", profile.mtu);
  out.text +=
      fmt::format("\n[wireguard-peer.{}]\nendpoint={}\npersistent-keepalive={}\nallowed-ips={};\n",
                  profile.gateway_public_key, profile.endpoint, kKeepalive, fmt::join(profile.allowed_ips, ";"));
  add_family(out.text, profile, false);
  add_family(out.text, profile, true);
  return out;
}

}  // namespace gw::ctl
