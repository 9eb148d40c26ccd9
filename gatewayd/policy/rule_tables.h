// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/decision_nodes.h"

namespace gw::policy {

/// A set of rule positions, 64 to a word, words without a member left out. Positions are the order of judgement.
struct RuleWord {
  uint32_t word = 0;
  uint64_t bits = 0;

  auto operator<=>(const RuleWord&) const = default;
};
using RuleSet = std::vector<RuleWord>;

/// Number of a service table: what first-match rules say for every kind and key.
using TableId = uint32_t;
inline constexpr TableId kEmptyTable = 0;  ///< no rule says anything: the default everywhere

/// Turns ordered sets of rules into service tables. Rules are added once, in the order of judgement; tables of sets
/// that begin alike share the work, and equal tables have equal ids.
class RuleTables {
 public:
  RuleTables();

  /// The next rule. `id` is its interned number.
  void add(std::span<const config::Service> services, config::Action action, bool log, uint32_t id);

  /// The first rule of the set that admits a key decides it.
  TableId table(std::span<const RuleWord> rules);

  [[nodiscard]] const std::array<Ref, GW_KINDS>& roots(TableId table) const { return tables_[table]; }
  [[nodiscard]] const DecisionNodes& nodes() const { return nodes_; }

 private:
  using Roots = std::array<Ref, GW_KINDS>;
  struct Hash {
    size_t operator()(const Roots& roots) const;
    size_t operator()(const RuleWord& word) const;
  };

  TableId intern(const Roots& roots);
  /// `rest` where `roots` says nothing; true when no key of any kind is left.
  bool overlay(Roots& roots, const Roots& rest);
  [[nodiscard]] const Roots& rule_at(const RuleWord& word, uint64_t bits) const;  ///< of the lowest of `bits`
  const Roots& roots_of(const RuleWord& word);

  DecisionNodes nodes_;
  std::vector<Roots> rules_;  ///< by position
  std::vector<Roots> tables_;
  std::unordered_map<Roots, TableId, Hash> known_;
  std::unordered_map<RuleWord, Roots, Hash> words_;
};

}  // namespace gw::policy
