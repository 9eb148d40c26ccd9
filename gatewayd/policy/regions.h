// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/vocabulary.h"

namespace gw::policy {

/// What is true of the addresses in `prefix` that no longer region contains and that are no exact hosts.
struct Region {
  Prefix prefix;
  Signature signature;
  uint32_t link = 0;
  uint32_t flags = 0;  ///< GW_PREFIX_*

  [[nodiscard]] bool same_value(const Region& other) const {
    return signature == other.signature && link == other.link && flags == other.flags;
  }
};

/// Cuts both address families along configured prefixes, the literals of rules and the special blocks. A region carries
/// everything that contains it, so that the longest match alone decides; one that says the same as the region around it
/// is left out. `links` by device name. Pure.
std::vector<Region> cut_regions(const config::Config& config, const Vocabulary& vocabulary,
                                const std::map<std::string, uint32_t>& links);

}  // namespace gw::policy
