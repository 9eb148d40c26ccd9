// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/covers.h"

#include <algorithm>
#include <array>

namespace gw::config {
namespace {

using Kind = Selector::Kind;

/// Blocks that wide selectors do not reach: only a rule that names the literal does (DATAPLANE "Zones").
bool is_reserved(const Prefix& prefix) {
  static const std::array kReserved{
      *Prefix::parse("0.0.0.0/8"),     *Prefix::parse("127.0.0.0/8"), *Prefix::parse("169.254.0.0/16"),
      *Prefix::parse("168.63.129.16"), *Prefix::parse("224.0.0.0/3"), *Prefix::parse("::/127"),
      *Prefix::parse("::ffff:0:0/96"), *Prefix::parse("fe80::/10"),   *Prefix::parse("ff00::/8")};
  return std::any_of(kReserved.begin(), kReserved.end(),
                     [&](const Prefix& reserved) { return reserved.overlaps(prefix); });
}

/// Whether an address of the gateway may lie in `prefix` of the subnet. Towards it the zone is `gateway`, and a literal
/// could match where the subnet does not. The gateway sends nothing that rules judge, so only destinations matter.
bool may_hold_gateway(const Config& config, const std::string& subnet, const Prefix& prefix) {
  const Subnet& found = config.subnets.at(subnet);
  if (!found.via.empty()) return false;
  if (found.address.empty()) return true;
  return std::any_of(found.address.begin(), found.address.end(),
                     [&](const IpAddress& address) { return prefix.contains(address); });
}

bool place_covers_prefix(const Config& config, Side side, const Selector& place, const Prefix& prefix) {
  const auto* prefixes = prefixes_of(config, place);
  if (prefixes == nullptr) return false;
  if (std::none_of(prefixes->begin(), prefixes->end(), [&](const Prefix& own) { return own.contains(prefix); }))
    return false;
  return place.kind == Kind::site || side == Side::source || !may_hold_gateway(config, place.name, prefix);
}

bool prefix_covers(const Config& config, const Prefix& wide, const Selector& narrow) {
  if (narrow.kind == Kind::prefix) return wide.contains(narrow.prefix) && !is_reserved(narrow.prefix);
  const auto* prefixes = prefixes_of(config, narrow);
  if (prefixes == nullptr || prefixes->empty()) return false;
  return std::all_of(prefixes->begin(), prefixes->end(), [&](const Prefix& prefix) { return wide.contains(prefix); });
}

}  // namespace

const std::vector<Prefix>* prefixes_of(const Config& config, const Selector& selector) {
  if (selector.kind == Kind::subnet) {
    const auto found = config.subnets.find(selector.name);
    return found == config.subnets.end() ? nullptr : &found->second.prefixes;
  }
  if (selector.kind == Kind::site) {
    const auto found = config.sites.find(selector.name);
    return found == config.sites.end() ? nullptr : &found->second.prefixes;
  }
  return nullptr;
}

bool covers(const Config& config, Side side, const Selector& wide, const Selector& narrow) {
  if (wide == narrow) return true;
  switch (wide.kind) {
    case Kind::any:
      return narrow.kind != Kind::prefix || !is_reserved(narrow.prefix);
    case Kind::vpn:
      return narrow.kind == Kind::group || narrow.kind == Kind::client;
    case Kind::subnet:
    case Kind::site:
      return narrow.kind == Kind::prefix && place_covers_prefix(config, side, wide, narrow.prefix);
    case Kind::prefix:
      return prefix_covers(config, wide.prefix, narrow);
    case Kind::internet:
    case Kind::gateway:
    case Kind::group:
    case Kind::client:
      break;
  }
  return false;
}

bool covers(std::span<const Service> wide, const Service& narrow) {
  if (std::any_of(wide.begin(), wide.end(), [](const Service& service) { return service.kind == Service::Kind::any; }))
    return true;
  // Several ranges may cover together what none does alone: go on from where the last one ended.
  uint32_t next = narrow.first;
  while (next <= narrow.last) {
    uint32_t end = next;
    for (const Service& service : wide) {
      if (service.kind == narrow.kind && service.first <= next && service.last >= next)
        end = std::max(end, uint32_t{service.last} + 1);
    }
    if (end == next) return false;
    next = end;
  }
  return narrow.kind != Service::Kind::any;
}

}  // namespace gw::config
