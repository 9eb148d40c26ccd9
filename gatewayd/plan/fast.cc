// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gatewayd/plan/parts.h"

/// The fast path runs between Ethernet cards that can both run a program in the driver and send what another's program
/// redirects to them. VLAN devices take part through their parent, unless that hides the tags.
namespace gw::plan {
namespace {

/// What keeps a card from taking part; empty when nothing does.
std::string hindrance(const Intent& intent, const std::string& name) {
  const auto found = intent.cards.find(name);
  if (found == intent.cards.end()) return "no Ethernet card";
  const Card& card = found->second;
  if (!card.trouble.empty()) return card.trouble;
  if (!card.native_xdp) return "no XDP in its driver";
  if (card.loses_frames) return "a driver lost redirected packets";
  if (!card.transmits) return "takes no redirected frames";
  if (card.defers_checksums && intent.config.dataplane.fast_path != config::FastPath::on)
    return "a veth, whose frames may lack checksums";
  if (card.strips_vlan && has_vlans(intent.config, name))
    return fmt::format("hides VLAN tags: ethtool -K {} rxvlan off", name);
  return {};
}

}  // namespace

bool has_vlans(const config::Config& config, const std::string& card) {
  return std::ranges::any_of(config.subnets, [&](const auto& entry) {
    return entry.second.vlan.has_value() && entry.second.interface == card;
  });
}

FastPath fast_path(const Intent& intent) {
  if (intent.config.dataplane.fast_path == config::FastPath::off) return {.devices = {}, .why_not = "by configuration"};
  FastPath out;
  std::set<std::string> hindrances;
  for (const auto& [name, subnet] : intent.config.subnets) {
    const std::string what = hindrance(intent, subnet.interface);
    if (what.empty()) {
      out.devices.insert(subnet.device());
    } else {
      hindrances.insert(fmt::format("{}: {}", subnet.interface, what));
    }
  }
  out.why_not = fmt::format("{}", fmt::join(hindrances, "; "));
  if (out.devices.size() >= 2) return out;
  out.devices.clear();
  if (out.why_not.empty()) out.why_not = "it needs two subnets";
  return out;
}

void want_fast_path(const Intent& intent, Desired& desired) {
  const FastPath fast = fast_path(intent);
  const bool behind_guard = guard_place(intent).hook == Hook::guard_xdp;
  for (const auto& [name, subnet] : intent.config.subnets) {
    if (!fast.devices.contains(subnet.device())) continue;
    LinkEntry& entry = desired.policy.links[subnet.device()];
    entry.flags |= GW_LINK_FAST | GW_LINK_FAST_OUT;
    entry.mac = intent.cards.at(subnet.interface).mac;
    entry.out = subnet.interface;
    entry.out_vid = subnet.vlan.value_or(0);
    // A card has room for one program: the guard's goes on to the fast path.
    if (behind_guard && subnet.interface == intent.config.public_side.interface) continue;
    desired.attachments.insert({subnet.interface, Hook::xdp});
  }
}

}  // namespace gw::plan
