// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: which numbers and addresses are taken.

#include <cstdint>
#include <map>

namespace gw::registry {

/// A client's number, or an address as its 16 mapped bytes (IpAddress::mapped), big-endian.
using Value = unsigned __int128;

/// A set of values kept as its runs of neighbours: finding the lowest free one costs O(log runs), however many are
/// taken.
class RunSet {
 public:
  void insert(Value value);
  void erase(Value value);
  [[nodiscard]] bool contains(Value value) const;
  /// The lowest value from `from` on that is not in the set.
  [[nodiscard]] Value lowest_free(Value from) const;
  /// How many values of the set lie in [first, last].
  [[nodiscard]] uint64_t count(Value first, Value last) const;

 private:
  using Runs = std::map<Value, Value>;
  [[nodiscard]] Runs::const_iterator run_at(Value value) const;

  Runs runs_;  ///< first -> last; no two touch
};

}  // namespace gw::registry
