// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ranges>
#include <string>
#include <vector>

#include "gatewayd/apply/kernel.h"
#include "gatewayd/config/load.h"
#include "gatewayd/registry/registry.h"

/// What forbids a configuration that is right in itself. Pure.
namespace gw::control {

/// EBUSY: a group of `applied` that has members is gone in `wanted` (lists them), or an address that a client has lies
/// EBUSY: a group of `applied` that has members is gone in `wanted` (lists them), an address that a client has lies
/// outside the pools of `wanted` (lists the clients), or a name that a client has is one that the gateway serves for
/// another (names both). `applied` may be nullptr. `applied` may be nullptr.
Result<void> check_clients(const config::Config* applied, const config::Config& wanted,
                           const std::vector<registry::Client>& clients);

/// ENODEV: `wanted` names interfaces that the host does not have and that `applied` does not name: most likely
/// misspelt.
Result<void> check_interfaces(const config::Config* applied, const config::Config& wanted, const apply::Facts& facts);

/// The members of a group by name, sorted.
std::vector<std::string> members_of(const std::string& group, const std::vector<registry::Client>& clients);

/// The keys of a map, in its order.
template <class Map>
std::vector<std::string> names_of(const Map& map) {
  const auto keys = std::views::keys(map);
  return {keys.begin(), keys.end()};
}

/// "alice, bob and 3 others".
std::string enumerate(const std::vector<std::string>& names);

/// All errors among `diagnostics`, a line each.
std::string error_lines(const std::vector<config::Diagnostic>& diagnostics);

}  // namespace gw::control
