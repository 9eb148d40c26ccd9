// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/plan/parts.h"

namespace gw::plan {
namespace {

std::optional<IpAddress> endpoint_address(const std::string& host, const std::map<std::string, IpAddress>& resolved) {
  if (auto literal = IpAddress::parse(host)) return literal;
  const auto found = resolved.find(host);
  return found == resolved.end() ? std::nullopt : std::optional(found->second);
}

Peer site_peer(const config::Site& site, const std::map<std::string, IpAddress>& resolved) {
  Peer peer{.allowed_ips = {site.prefixes.begin(), site.prefixes.end()}, .keepalive = site.keepalive};
  if (!site.endpoint) return peer;
  // A name that does not resolve yet leaves the peer without an endpoint: it can still come to us.
  if (const auto address = endpoint_address(site.endpoint->host, resolved))
    peer.endpoint = {*address, site.endpoint->port};
  return peer;
}

}  // namespace

Peer client_peer(const Client& client) {
  Peer peer;
  for (const IpAddress& address : client.addresses) peer.allowed_ips.insert(Prefix::host(address));
  return peer;
}

void want_peers(const Intent& intent, Desired& desired) {
  desired.wireguard.device = intent.config.vpn.interface;
  desired.wireguard.public_key = intent.public_key;
  desired.wireguard.listen_port = intent.config.public_side.listen_port;
  for (const auto& [number, client] : intent.clients) desired.wireguard.peers[client.wireguard] = client_peer(client);
  for (const auto& [name, site] : intent.config.sites)
    desired.wireguard.peers[site.public_key] = site_peer(site, intent.resolved);
}

}  // namespace gw::plan
