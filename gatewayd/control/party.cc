// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/party.h"

#include <algorithm>
#include <cerrno>

#include "gatewayd/base/nearest.h"
#include "gatewayd/config/edit.h"
#include "gatewayd/control/checks.h"

namespace gw::control {
namespace {

using Kind = config::Selector::Kind;

constexpr const char* kFind = "find";

std::unexpected<Error> nothing(const std::string& object, std::string detail) {
  return failure(ENOENT, kFind, object, std::move(detail));
}

std::string why_no_access(const registry::Client& client, UnixSeconds now) {
  if (client.has_access(now)) return {};
  if (client.disabled) return "client " + client.name + " is disabled";
  if (client.revoked_at != 0) return "client " + client.name + " is revoked";
  return "the certificate of client " + client.name + " has ended";
}

Party of_client(const registry::Client& client, const World& world, std::string said) {
  return {.said = std::move(said),
          .addresses = client.addresses,
          .without_access = why_no_access(client, world.now),
          .gateway = false};
}

// The first address of a block that is a host of it and not the gateway's own.
std::optional<IpAddress> first_host(const Prefix& prefix, const World& world) {
  if (prefix.is_host()) return prefix.address;
  constexpr uint64_t kTries = 1024;
  for (uint64_t n = prefix.length + 1 == prefix.address.bits() ? 0 : 1; n < kTries; ++n) {
    const auto address = prefix.nth(n);
    if (!address) return std::nullopt;
    if (!is_gateway(*address, world.intent)) return address;
  }
  return std::nullopt;
}

Party of_prefixes(const std::vector<Prefix>& prefixes, const World& world, std::string said) {
  Party out{.said = std::move(said), .addresses = {}, .without_access = {}, .gateway = false};
  for (const Prefix& prefix : prefixes) {
    if (const auto host = first_host(prefix, world)) out.addresses.push_back(*host);
  }
  return out;
}

Result<Party> of_name(const std::string& name, const World& world) {
  const auto found = std::ranges::find(world.clients, name, &registry::Client::name);
  if (found != world.clients.end()) return of_client(*found, world, "client " + name);
  std::vector<std::string> names(world.clients.size());
  std::ranges::transform(world.clients, names.begin(), &registry::Client::name);
  return nothing("client " + name, "no client has this name" + did_you_mean(name, names));
}

// The first client with access for which `is_member` holds.
Result<Party> of_some_client(const World& world, const std::string& said, auto&& is_member) {
  for (const registry::Client& client : world.clients) {
    if (client.has_access(world.now) && is_member(client)) {
      return of_client(client, world, said + ", such as client " + client.name);
    }
  }
  return nothing("a client in " + said, "it has none with access; name a client or an address");
}

Result<Party> of_address(const IpAddress& address, const World& world) {
  for (const registry::Client& client : world.clients) {
    if (std::ranges::find(client.addresses, address) == client.addresses.end()) continue;
    Party party = of_client(client, world, "client " + client.name);
    party.addresses = {address};
    return party;
  }
  return Party{.said = is_gateway(address, world.intent) ? "the gateway" : "address",
               .addresses = {address},
               .without_access = {},
               .gateway = is_gateway(address, world.intent)};
}

// Addresses in the internet that nobody has configured: well-known resolvers, of which one will do.
Party of_internet(const World& world, const std::string& said) {
  static const Prefix kWellKnown[] = {*Prefix::parse("9.9.9.9"), *Prefix::parse("2620:fe::9")};
  return of_prefixes({std::begin(kWellKnown), std::end(kWellKnown)}, world, said + ", such as an address there");
}

Party of_gateway(const World& world) {
  Party out{.said = "the gateway", .addresses = {}, .without_access = {}, .gateway = true};
  for (const Prefix& pool : world.intent.config.vpn.subnets) out.addresses.push_back(*pool.nth(1));
  return out;
}

Result<Party> of_selector(const config::Selector& selector, const World& world) {
  const config::Config& config = world.intent.config;
  const std::string text = selector.str();
  switch (selector.kind) {
    case Kind::any:
    case Kind::internet:
      return of_internet(world, text);
    case Kind::gateway:
      return of_gateway(world);
    case Kind::vpn:
      return of_some_client(world, text, [](const auto&) { return true; });
    case Kind::client:
      return of_name(selector.name, world);
    case Kind::prefix:
      return selector.prefix.is_host() ? of_address(selector.prefix.address, world)
                                       : of_prefixes({selector.prefix}, world, text);
    case Kind::group:
      if (!config.groups.contains(selector.name)) {
        return nothing(text, "no group has this name" + did_you_mean(selector.name, names_of(config.groups)));
      }
      return of_some_client(world, text, [&](const registry::Client& client) {
        return std::ranges::find(client.groups, selector.name) != client.groups.end();
      });
    case Kind::subnet: {
      const auto found = config.subnets.find(selector.name);
      if (found != config.subnets.end()) return of_prefixes(found->second.prefixes, world, text);
      return nothing(text, "no subnet has this name" + did_you_mean(selector.name, names_of(config.subnets)));
    }
    case Kind::site: {
      const auto found = config.sites.find(selector.name);
      if (found != config.sites.end()) return of_prefixes(found->second.prefixes, world, text);
      return nothing(text, "no site has this name" + did_you_mean(selector.name, names_of(config.sites)));
    }
  }
  return nothing(text, "nothing is known of it");
}

}  // namespace

bool is_gateway(const IpAddress& address, const plan::Intent& intent) {
  const auto& own = intent.gateway_addresses;
  if (std::ranges::find(own, address) != own.end()) return true;
  const auto& config = intent.config;
  const bool first_of_pool =
      std::ranges::any_of(config.vpn.subnets, [&](const Prefix& p) { return p.nth(1) == address; });
  return first_of_pool || std::ranges::any_of(config.subnets, [&](const auto& entry) {
           return std::ranges::find(entry.second.address, address) != entry.second.address.end();
         });
}

Result<Party> find_party(const std::string& text, const World& world) {
  if (const auto address = IpAddress::parse(text)) return of_address(*address, world);
  const bool is_client = std::ranges::find(world.clients, text, &registry::Client::name) != world.clients.end();
  Result<Party> out;
  if (is_client) {
    out = of_name(text, world);
  } else if (const auto selector = config::parse_selector(text)) {
    out = of_selector(*selector, world);
  } else {
    return failure(EINVAL, kFind, text, "it is no client, no address and no zone: " + selector.error().detail);
  }
  if (out) std::ranges::sort(out->addresses);
  return out;
}

std::string arrival_device(const IpAddress& address, const World& world) {
  const config::Config& config = world.intent.config;
  const auto has = [&](const Prefix& prefix) { return prefix.contains(address); };
  if (std::ranges::any_of(config.vpn.subnets, has)) return config.vpn.interface;
  for (const auto& [name, site] : config.sites) {
    if (std::ranges::any_of(site.prefixes, has)) return config.vpn.interface;
  }
  for (const auto& [name, subnet] : config.subnets) {
    if (std::ranges::any_of(subnet.prefixes, has)) return subnet.device();
  }
  return config.public_side.interface;
}

}  // namespace gw::control
