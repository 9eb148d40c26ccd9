// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>

#include "gatewayd/control/gateway.h"

/// What a client's profile is made from.
namespace gw::control {
namespace {

bool is_reachable_from_outside(const IpAddress& address) {
  static const Prefix kLocal[] = {*Prefix::parse("127.0.0.0/8"), *Prefix::parse("169.254.0.0/16"),
                                  *Prefix::parse("::1/128"), *Prefix::parse("fe80::/10")};
  return std::ranges::none_of(kLocal, [&](const Prefix& prefix) { return prefix.contains(address); });
}

// The client's own word, else that of its groups (full wins: it asks for more protection), else the gateway's.
config::Tunnel tunnel_for(const registry::Client& client, const config::Config& config) {
  if (client.tunnel) return *client.tunnel;
  std::optional<config::Tunnel> of_groups;
  for (const std::string& name : client.groups) {
    const auto group = config.groups.find(name);
    if (group == config.groups.end() || !group->second.tunnel) continue;
    if (!of_groups || *group->second.tunnel == config::Tunnel::full) of_groups = group->second.tunnel;
  }
  return of_groups.value_or(config.vpn.tunnel);
}

std::vector<Prefix> allowed_prefixes(config::Tunnel tunnel, const config::Config& config) {
  if (tunnel == config::Tunnel::full) return {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};
  std::set<Prefix> all(config.vpn.subnets.begin(), config.vpn.subnets.end());
  for (const auto& [name, subnet] : config.subnets) all.insert(subnet.prefixes.begin(), subnet.prefixes.end());
  for (const auto& [name, site] : config.sites) all.insert(site.prefixes.begin(), site.prefixes.end());
  return {all.begin(), all.end()};
}

// The gateway, which serves the names of its domain and looks up all others.
std::vector<std::string> name_servers(const config::Config& config) {
  std::vector<std::string> out;
  if (!config.vpn.dns) return out;
  for (const IpAddress& address : names::served_at(config)) out.push_back(address.str());
  return out;
}

}  // namespace

Result<std::vector<IpAddress>> GatewayController::public_addresses(const config::Config& config) {
  const auto facts = parts_.kernel.facts();
  if (!facts) return std::unexpected(facts.error());
  std::vector<IpAddress> out;
  const auto addresses = facts->device_addresses.find(config.public_side.interface);
  if (addresses == facts->device_addresses.end()) return out;
  std::ranges::copy_if(addresses->second, std::back_inserter(out), is_reachable_from_outside);
  return out;
}

Result<std::string> GatewayController::endpoint(const config::Config& config) {
  if (config.public_side.endpoint) return config.public_side.endpoint->str();
  const auto addresses = public_addresses(config);
  if (!addresses) return std::unexpected(addresses.error());
  if (!addresses->empty()) return config::Endpoint{addresses->front().str(), config.public_side.listen_port}.str();
  return failure(EINVAL, "find the address that clients connect to", {},
                 config.public_side.interface + " has none; write gateway.public.endpoint");
}

Result<ProfileFacts> GatewayController::profile(const registry::Client& client, const std::string& certificate_pem) {
  const auto in_force = applied_or_error("make the profile of", client.name);
  if (!in_force) return std::unexpected(in_force.error());
  const config::Config& config = **in_force;
  const auto reach = endpoint(config);
  if (!reach) return std::unexpected(reach.error());
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  const auto& mtus = parts_.reconciler.facts().mtu;
  const auto uplink = mtus.find(config.public_side.interface);
  const config::Tunnel tunnel = tunnel_for(client, config);
  const std::vector<Prefix> allowed = allowed_prefixes(tunnel, config);

  ProfileFacts out;
  out.client = client.name;
  for (const IpAddress& address : client.addresses) out.addresses.push_back(Prefix::host(address).str());
  for (const Prefix& prefix : allowed) out.allowed_ips.push_back(prefix.str());
  out.dns = name_servers(config);
  if (config.vpn.dns) out.dns_domain = config.vpn.dns->domain;
  out.mtu = plan::vpn_mtu(config.vpn, uplink == mtus.end() ? std::nullopt : std::optional(uplink->second));
  out.gateway_name = config.name;
  out.gateway_public_key = options_.public_key.str();
  out.endpoint = *reach;
  out.certificate_pem = certificate_pem;
  out.chain_pem = authority->chain_pem();
  out.not_after = client.not_after;
  out.full_tunnel = tunnel == config::Tunnel::full;
  return out;
}

Result<ProfileFacts> GatewayController::export_client(const std::string& name) {
  const auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  const auto certificate = parts_.registry.certificate(client->serial);
  if (!certificate) return std::unexpected(certificate.error());
  auto facts = profile(*client, certificate->pem);
  if (facts) {
    if (auto marked = parts_.registry.mark_profile_current(name); !marked) return std::unexpected(marked.error());
  }
  return facts;
}

// All that profiles have in common: a client whose profile was made when this was another is told to be outdated.
void GatewayController::remember_profile_facts() {
  const config::Config& config = *applied();
  std::string all = options_.public_key.str() + " " + endpoint(config).value_or("");
  for (const auto tunnel : {config::Tunnel::split, config::Tunnel::full}) {
    for (const Prefix& prefix : allowed_prefixes(tunnel, config)) all += " " + prefix.str();
    for (const std::string& server : name_servers(config)) all += " " + server;
  }
  all += config.vpn.tunnel == config::Tunnel::full ? " full" : " split";
  for (const auto& [name, group] : config.groups) {
    if (group.tunnel) all += " " + name + (*group.tunnel == config::Tunnel::full ? "=full" : "=split");
  }
  if (config.vpn.dns) all += " " + config.vpn.dns->domain;
  if (auto stored = parts_.registry.set_profile_fingerprint(all); !stored) tell(stored.error().message());
}

}  // namespace gw::control
