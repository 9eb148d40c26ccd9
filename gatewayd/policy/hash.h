// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gw::policy {

/// Folds `value` into `hash`. For tables in memory only: of no meaning outside the process, and no defence against a
/// person who chooses the values.
constexpr uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15U;  // 2^64 divided by the golden ratio
  return hash ^ hash >> 32U;
}

}  // namespace gw::policy
