// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/plan/parts.h"

namespace gw::plan {
namespace {

/// Loopback and link-local addresses are no destination of a forwarded or judged packet (DATAPLANE "The verdict" 2).
bool is_judged(const IpAddress& address) {
  static const Prefix kUnjudged[] = {*Prefix::parse("127.0.0.0/8"), *Prefix::parse("169.254.0.0/16"),
                                     *Prefix::parse("::1/128"), *Prefix::parse("fe80::/10")};
  return std::ranges::none_of(kUnjudged, [&](const Prefix& prefix) { return prefix.contains(address); });
}

std::set<IpAddress> gateway_addresses(const Intent& intent, const Desired& desired) {
  std::set<IpAddress> all(intent.gateway_addresses.begin(), intent.gateway_addresses.end());
  for (const Address& address : desired.addresses) all.insert(address.address);
  std::erase_if(all, [](const IpAddress& address) { return !is_judged(address); });
  return all;
}

std::map<std::string, LinkEntry> link_entries(const config::Config& config, policy::Interner& interner) {
  std::map<std::string, LinkEntry> entries;
  entries[config.vpn.interface] = {.link = GW_LINK_ID_VPN, .flags = GW_LINK_VPN};
  for (const auto& [device, id] : policy::link_ids(config, interner)) {
    LinkEntry& entry = entries[device];
    entry.link = id;
    if (device == config.public_side.interface) entry.flags |= GW_LINK_PUBLIC;
  }
  for (const auto& [name, subnet] : config.subnets) {
    const auto parent = entries.find(subnet.interface);
    // A parent without a subnet of its own has no program of ours, which would have to let the tags pass.
    if (!subnet.vlan || parent == entries.end()) continue;
    parent->second.flags |= GW_LINK_PARENT;
    parent->second.vlans.push_back(*subnet.vlan);
  }
  for (auto& [device, entry] : entries) {
    std::ranges::sort(entry.vlans);
    entry.vlans.erase(std::ranges::unique(entry.vlans).begin(), entry.vlans.end());
  }
  return entries;
}

}  // namespace

Host client_host(const Client& client, uint32_t class_id) {
  return {
      .class_id = class_id, .client = client.number, .flags = GW_HOST_CLIENT, .valid_until_ns = client.valid_until_ns};
}

policy::HostFacts client_facts(const Client& client, const IpAddress& address, const config::Config& config) {
  policy::HostFacts facts{.address = address, .client = client.name, .groups = {}};
  std::ranges::copy_if(client.groups, std::back_inserter(facts.groups),
                       [&](const std::string& group) { return config.groups.contains(group); });
  return facts;
}

Result<void> want_policy(const Intent& intent, policy::Interner& interner, Desired& desired) {
  std::vector<policy::HostFacts> facts;
  std::vector<Host> hosts;
  for (const IpAddress& address : gateway_addresses(intent, desired)) {
    facts.push_back({.address = address, .client = {}, .groups = {}});
    hosts.push_back({.class_id = GW_CLASS_NONE, .client = 0, .flags = GW_HOST_GATEWAY});
  }
  for (const auto& [number, client] : intent.clients) {
    for (const IpAddress& address : client.addresses) {
      facts.push_back(client_facts(client, address, intent.config));
      hosts.push_back(client_host(client, GW_CLASS_NONE));
    }
  }
  auto compiled = policy::compile(intent.config, facts, interner);
  if (!compiled) return std::unexpected(compiled.error());
  desired.compiled = std::move(*compiled);
  desired.policy.fingerprint = desired.compiled.image.fingerprint;
  for (size_t i = 0; i < facts.size(); ++i) {
    // Fail closed: a host that the compiler does not place matches no rule.
    hosts[i].class_id = desired.compiled.class_of(facts[i]).value_or(GW_CLASS_NONE);
    desired.policy.hosts[facts[i].address] = hosts[i];
  }
  desired.policy.links = link_entries(intent.config, interner);
  desired.attachments.insert({intent.config.vpn.interface, Hook::vpn_ingress});
  desired.attachments.insert({intent.config.vpn.interface, Hook::vpn_egress});
  for (const std::string& device : subnet_devices(intent.config))
    desired.attachments.insert({device, Hook::subnet_ingress});
  return {};
}

}  // namespace gw::plan
