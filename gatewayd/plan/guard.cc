// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>

#include "gatewayd/plan/parts.h"

namespace gw::plan {
namespace {

/// The kernel finds the narrowest prefix of an address: it has to block as long as any that it lies in.
uint64_t latest_end(const Prefix& prefix, const std::map<Prefix, uint64_t>& blocks) {
  uint64_t latest = 0;
  for (const auto& [wider, until] : blocks) {
    if (wider.contains(prefix)) latest = std::max(latest, until);
  }
  return latest;
}

std::string hindrance(const Intent& intent) {
  const config::Config& config = intent.config;
  if (config.guard.hook == config::GuardHook::tc) return "by configuration";
  const auto card = intent.cards.find(config.public_side.interface);
  if (card == intent.cards.end() || !card->second.native_xdp) return "no XDP in the driver";
  if (!card->second.trouble.empty()) return card->second.trouble;
  // Frames of a VLAN would look like the public side's own, and be dropped.
  if (card->second.strips_vlan && has_vlans(config, config.public_side.interface))
    return fmt::format("hides VLAN tags: ethtool -K {} rxvlan off", config.public_side.interface);
  if (card->second.defers_checksums && config.guard.hook != config::GuardHook::xdp) return "a veth";
  return {};
}

}  // namespace

GuardPlace guard_place(const Intent& intent) {
  std::string why_not = hindrance(intent);
  return {.hook = why_not.empty() ? Hook::guard_xdp : Hook::guard_ingress, .why_not = std::move(why_not)};
}

void want_guard(const Intent& intent, Desired& desired) {
  const config::Config& config = intent.config;
  desired.guard.settings = {.port = config.public_side.listen_port,
                            .initiations = config.guard.initiations_per_source,
                            .public_key = intent.public_key};
  for (const auto& [prefix, until] : intent.blocks) desired.guard.blocks[prefix] = latest_end(prefix, intent.blocks);
  desired.attachments.insert({config.public_side.interface, guard_place(intent).hook});
}

}  // namespace gw::plan
