// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "gatewayd/config/draft.h"

namespace gw::config {
namespace {

constexpr uint64_t kMinClients = 3;
constexpr uint64_t kGatewayAddresses = 2;

/// Addresses of a VPN prefix that clients can have: not the network address (in IPv6 the subnet-router anycast address,
/// RFC 4291 §2.6.1), not the gateway's two, not the IPv4 broadcast address.
uint64_t room(const Prefix& prefix) {
  const uint64_t taken = 1 + kGatewayAddresses + (prefix.address.family == Family::v4 ? 1 : 0);
  return prefix.size() > taken ? prefix.size() - taken : 0;
}

void check_pool(Diagnostics& diagnostics, const Draft& draft) {
  for (const Claim& claim : draft.claims) {
    const bool of_vpn = std::find(draft.config.vpn.subnets.begin(), draft.config.vpn.subnets.end(), claim.prefix) !=
                        draft.config.vpn.subnets.end();
    if (!of_vpn || claim.owner != "vpn.subnets" || room(claim.prefix) >= kMinClients) continue;
    const bool v4 = claim.prefix.address.family == Family::v4;
    diagnostics.error(claim.mark,
                      fmt::format("{} is too small: beside the gateway's two addresses and {} it has {} for clients, "
                                  "at least {} are needed; take a {} or larger",
                                  claim.prefix.str(), v4 ? "those of the network and of broadcast" : "the all-zero one",
                                  room(claim.prefix), kMinClients, v4 ? "/29" : "/125"));
  }
}

/// Sorted by address, a block that overlaps an earlier one lies within the last block that no other contains.
void check_disjoint(Diagnostics& diagnostics, const Draft& draft) {
  std::vector<const Claim*> sorted;
  sorted.reserve(draft.claims.size());
  for (const Claim& claim : draft.claims) sorted.push_back(&claim);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Claim* a, const Claim* b) { return a->prefix < b->prefix; });
  const Claim* outer = nullptr;
  for (const Claim* claim : sorted) {
    if (outer == nullptr || !outer->prefix.contains(claim->prefix)) {
      outer = claim;
      continue;
    }
    const bool in_order = outer->mark < claim->mark;
    const Claim& first = in_order ? *outer : *claim;
    const Claim& second = in_order ? *claim : *outer;
    diagnostics.error(
        second.mark,
        fmt::format("{} of {} overlaps {} of {} at {}; every prefix belongs to one place: change one of them",
                    second.prefix.str(), second.owner, first.prefix.str(), first.owner, diagnostics.place(first.mark)));
  }
}

void check_space(Diagnostics& diagnostics, const Draft& draft) {
  if (draft.address_space.empty()) return;
  for (const Claim& claim : draft.claims) {
    if (!claim.owner.starts_with("subnet ")) continue;
    const auto holds = [&](const PlacedPrefix& space) { return space.prefix.contains(claim.prefix); };
    if (std::any_of(draft.address_space.begin(), draft.address_space.end(), holds)) continue;
    diagnostics.error(
        claim.mark, fmt::format("{} of {} lies outside network.address_space at {}; correct it or add the prefix there",
                                claim.prefix.str(), claim.owner, diagnostics.place(draft.address_space.front().mark)));
  }
}

}  // namespace

void check_addresses(Diagnostics& diagnostics, const Draft& draft) {
  check_pool(diagnostics, draft);
  check_disjoint(diagnostics, draft);
  check_space(diagnostics, draft);
}

void check_devices(Diagnostics& diagnostics, const Draft& draft) {
  const auto vpn = std::find_if(draft.devices.begin(), draft.devices.end(),
                                [](const DeviceUse& use) { return use.use == "the VPN interface"; });
  if (vpn == draft.devices.end() || vpn->device.empty()) return;
  for (const DeviceUse& other : draft.devices) {
    if (&other == &*vpn || other.device != vpn->device) continue;
    diagnostics.error(other.mark, fmt::format("'{}' is {} and the VPN interface (vpn.interface, at {}); the gateway "
                                              "makes that one itself: name another device",
                                              other.device, other.use, diagnostics.place(vpn->mark)));
  }
}

}  // namespace gw::config
