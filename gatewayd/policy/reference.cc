// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/reference.h"

#include <algorithm>

#include "gatewayd/policy/special.h"

namespace gw::policy {
namespace {

using config::Selector;
using config::Service;

bool any_contains(const std::vector<Prefix>& prefixes, const IpAddress& address) {
  return std::ranges::any_of(prefixes, [&](const Prefix& prefix) { return prefix.contains(address); });
}

const SpecialBlock* longest_special(const IpAddress& address) {
  const SpecialBlock* longest = nullptr;
  for (const SpecialBlock& block : special_blocks()) {
    if (!block.prefix.contains(address)) continue;
    if (longest == nullptr || block.prefix.length > longest->prefix.length) longest = &block;
  }
  return longest;
}

/// The world as the rules see it, asked one address at a time.
class World {
 public:
  World(const config::Config& config, std::span<const HostFacts> hosts) : config_(config), hosts_(hosts) {}

  [[nodiscard]] bool is_gateway(const IpAddress& address) const {
    const HostFacts* found = host(address);
    return found != nullptr && found->client.empty();
  }

  [[nodiscard]] bool is_outside(const IpAddress& address) const {
    return host(address) == nullptr && !is_configured(address);
  }

  [[nodiscard]] bool is_internet(const IpAddress& address) const {
    if (!is_outside(address)) return false;
    const SpecialBlock* special = longest_special(address);
    return special == nullptr || special->reach == Reach::global;
  }

  [[nodiscard]] bool matches(const std::vector<Selector>& selectors, const IpAddress& address) const {
    return std::ranges::any_of(selectors, [&](const Selector& selector) { return matches(selector, address); });
  }

 private:
  [[nodiscard]] const HostFacts* host(const IpAddress& address) const {
    const auto found = std::ranges::find(hosts_, address, &HostFacts::address);
    return found == hosts_.end() ? nullptr : &*found;
  }

  [[nodiscard]] bool is_configured(const IpAddress& address) const {
    const auto has = [&](const auto& item) { return any_contains(item.second.prefixes, address); };
    return any_contains(config_.vpn.subnets, address) || any_contains(config_.address_space, address) ||
           std::ranges::any_of(config_.subnets, has) || std::ranges::any_of(config_.sites, has);
  }

  [[nodiscard]] bool matches(const Selector& selector, const IpAddress& address) const {
    if (const HostFacts* exact = host(address)) return matches_host(selector, *exact);
    if (any_contains(config_.vpn.subnets, address)) return false;  // assigned to nobody
    const SpecialBlock* special = longest_special(address);
    if (special != nullptr && special->reach == Reach::never) {
      return selector.kind == Selector::Kind::prefix && special->prefix.contains(selector.prefix) &&
             selector.prefix.contains(address);
    }
    switch (selector.kind) {
      case Selector::Kind::any:
        return true;
      case Selector::Kind::internet:
        return is_internet(address);
      case Selector::Kind::subnet:
        return any_contains(config_.subnets.at(selector.name).prefixes, address);
      case Selector::Kind::site:
        return any_contains(config_.sites.at(selector.name).prefixes, address);
      case Selector::Kind::prefix:
        return selector.prefix.contains(address);
      default:
        return false;  // vpn, gateway, group and client are exact hosts
    }
  }

  static bool matches_host(const Selector& selector, const HostFacts& host) {
    const bool is_client = !host.client.empty();
    switch (selector.kind) {
      case Selector::Kind::any:
        return true;
      case Selector::Kind::vpn:
        return is_client;
      case Selector::Kind::gateway:
        return !is_client;
      case Selector::Kind::client:
        return is_client && host.client == selector.name;
      case Selector::Kind::group:
        return is_client && std::ranges::find(host.groups, selector.name) != host.groups.end();
      case Selector::Kind::prefix:
        return selector.prefix.contains(host.address);
      default:
        return false;  // subnet, site and internet are made of prefixes; an exact host is taken out of them
    }
  }

  const config::Config& config_;
  std::span<const HostFacts> hosts_;
};

bool admits(const Service& service, const Packet& packet) {
  if (service.kind == Service::Kind::any) return true;
  return service.kind == packet.kind && service.first <= packet.key && packet.key <= service.last;
}

Verdict first_match(const config::Config& config, const World& world, const Packet& packet) {
  for (const config::Rule& rule : config.rules) {
    const bool admitted = std::ranges::any_of(rule.services, [&](const Service& s) { return admits(s, packet); });
    if (admitted && world.matches(rule.from, packet.source) && world.matches(rule.to, packet.destination)) {
      return {.action = rule.action, .rule = rule.name, .log = rule.log};
    }
  }
  for (const auto& [name, group] : config.groups) {
    const std::vector<Selector> members = {{.kind = Selector::Kind::group, .name = name, .prefix = {}}};
    if (group.interconnect && world.matches(members, packet.source) && world.matches(members, packet.destination)) {
      return {.action = config::Action::allow, .rule = interconnect_rule_name(name)};
    }
  }
  return {};
}

}  // namespace

Verdict evaluate(const config::Config& config, std::span<const HostFacts> hosts, const Packet& packet) {
  const World world(config, hosts);
  if (world.is_gateway(packet.source)) return {};
  Verdict verdict = first_match(config, world, packet);
  const auto is_source = [&](const config::Nat& nat) { return world.matches(nat.from, packet.source); };
  verdict.nat = verdict.action == config::Action::allow && world.is_outside(packet.destination) &&
                std::ranges::any_of(config.nat, is_source);
  return verdict;
}

}  // namespace gw::policy
