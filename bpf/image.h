// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"

namespace gw::bpf {

/// One slot's worth of decision tables, ready to be copied into maps: what the compiler makes and the loader installs.
struct PolicyImage {
  std::vector<std::pair<gw_prefix_key, gw_prefix>> prefixes;  ///< sorted by length, then address; unique
  std::vector<std::pair<gw_pair_key, gw_pair>> pairs;         ///< sorted by src, then dst; unique
  std::vector<gw_node> nodes;
  std::vector<uint32_t> nat_classes;  ///< source classes whose way to the internet is masqueraded; sorted
  std::string fingerprint;            ///< 32 hex digits over all of the above; equal images have equal ones
};

}  // namespace gw::bpf
