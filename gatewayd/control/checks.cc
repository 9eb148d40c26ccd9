// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>

#include "gatewayd/base/nearest.h"
#include "gatewayd/config/names.h"

namespace gw::control {
namespace {

constexpr const char* kApply = "apply the configuration";

std::string removed_groups(const config::Config& applied, const config::Config& wanted,
                           const std::vector<registry::Client>& clients) {
  std::string out;
  for (const auto& [group, unused] : applied.groups) {
    if (wanted.groups.contains(group)) continue;
    const auto members = members_of(group, clients);
    if (members.empty()) continue;
    out += fmt::format("{}group {} is gone, but {} {} in it", out.empty() ? "" : "; ", group, enumerate(members),
                       members.size() == 1 ? "is" : "are");
  }
  return out;
}

std::string taken_names(const config::Config& wanted, const std::vector<registry::Client>& clients) {
  std::string out;
  for (const registry::Client& client : clients) {
    const auto why = config::why_taken(wanted, client.name);
    if (why) out += fmt::format("{}client {}: {}", out.empty() ? "" : "; ", client.name, *why);
  }
  return out;
}

bool is_in_pool(const IpAddress& address, const config::Config& wanted) {
  return std::ranges::any_of(wanted.vpn.subnets, [&](const Prefix& pool) {
    if (!pool.contains(address)) return false;
    // The network's own address and the gateway's two (DESIGN §2).
    for (uint64_t n = 0; n < registry::kFirstClientAddress; ++n) {
      if (pool.nth(n) == address) return false;
    }
    return address.family == Family::v6 || pool.nth(pool.size() - 1) != address;
  });
}

std::set<std::string> interfaces_of(const config::Config& config) {
  std::set<std::string> out = {config.public_side.interface};
  for (const auto& [name, subnet] : config.subnets) out.insert(subnet.interface);
  for (const config::Nat& nat : config.nat) out.insert(nat.out);
  return out;
}

}  // namespace

std::vector<std::string> members_of(const std::string& group, const std::vector<registry::Client>& clients) {
  std::vector<std::string> out;
  for (const registry::Client& client : clients) {
    if (std::ranges::find(client.groups, group) != client.groups.end()) out.push_back(client.name);
  }
  std::ranges::sort(out);
  return out;
}

std::string enumerate(const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  std::string out;
  const size_t shown = std::min(names.size(), kShown);
  for (size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size();
    out += (i == 0 ? "" : last ? " and " : ", ") + names[i];
  }
  if (names.size() > shown) out += fmt::format(" and {} others", names.size() - shown);
  return out;
}

std::string error_lines(const std::vector<config::Diagnostic>& diagnostics) {
  std::string out;
  for (const config::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) out += "\n" + diagnostic.str();
  }
  return out;
}

Result<void> check_clients(const config::Config* applied, const config::Config& wanted,
                           const std::vector<registry::Client>& clients) {
  const std::string groups = applied == nullptr ? "" : removed_groups(*applied, wanted, clients);
  if (!groups.empty()) {
    return failure(EBUSY, kApply, {}, groups + "; take them out first (gwctl client set NAME --remove-group GROUP)");
  }
  if (const std::string names = taken_names(wanted, clients); !names.empty()) {
    return failure(EBUSY, kApply, {}, names + "; rename one of them (a client: remove it and add it again)");
  }
  std::vector<std::string> outside;
  for (const registry::Client& client : clients) {
    for (const IpAddress& address : client.addresses) {
      if (!is_in_pool(address, wanted)) outside.push_back(fmt::format("{} ({})", client.name, address.str()));
    }
  }
  if (!outside.empty()) {
    return failure(
        EBUSY, kApply, {},
        fmt::format("vpn.subnets has no room for addresses that clients have: {}; keep the prefix, or remove "
                    "these clients first",
                    enumerate(outside)));
  }
  return {};
}

Result<void> check_interfaces(const config::Config* applied, const config::Config& wanted, const apply::Facts& facts) {
  const auto known = applied == nullptr ? std::set<std::string>() : interfaces_of(*applied);
  const std::vector<std::string> there = names_of(facts.state);
  for (const std::string& name : interfaces_of(wanted)) {
    if (facts.state.contains(name) || known.contains(name)) continue;
    return failure(ENODEV, "use interface", name,
                   fmt::format("this host has {}{}", enumerate(there), did_you_mean(name, there)));
  }
  return {};
}

}  // namespace gw::control
