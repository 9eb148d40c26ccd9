// SPDX-License-Identifier: Apache-2.0
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

}  // namespace

void want_guard(const Intent& intent, Desired& desired) {
  const config::Config& config = intent.config;
  desired.guard.settings = {.port = config.public_side.listen_port,
                            .initiations = config.guard.initiations_per_source,
                            .public_key = intent.public_key};
  for (const auto& [prefix, until] : intent.blocks) desired.guard.blocks[prefix] = latest_end(prefix, intent.blocks);
  desired.attachments.insert({config.public_side.interface, Hook::guard_ingress});
}

}  // namespace gw::plan
