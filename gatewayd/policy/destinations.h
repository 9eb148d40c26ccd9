// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gatewayd/policy/classes.h"

namespace gw::policy {

/// Classes that the same rules name as destinations: to any one source they are alike.
struct DestinationKind {
  RuleSet rules;
  std::vector<uint32_t> ids;
};

/// All destinations by kind, indexed by the selectors of `to`, so that those of a source are found without trying all.
class Destinations {
 public:
  /// `rules` has to outlive this.
  Destinations(std::span<const Class> classes, std::span<const JudgedRule> rules);

  [[nodiscard]] const std::vector<DestinationKind>& kinds() const { return kinds_; }
  [[nodiscard]] size_t classes() const { return classes_; }
  /// Indices of the kinds that some rule of a source names, sorted; valid until the next call.
  const std::vector<size_t>& reachable(const RuleSet& as_source);

 private:
  void add(Atom atom);

  std::span<const JudgedRule> rules_;
  std::vector<DestinationKind> kinds_;
  std::vector<std::vector<size_t>> by_atom_;
  std::vector<size_t> atom_seen_;  ///< the last call that met it
  std::vector<size_t> kind_seen_;
  std::vector<size_t> found_;
  size_t call_ = 0;
  size_t classes_ = 0;
};

}  // namespace gw::policy
