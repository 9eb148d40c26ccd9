// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/destinations.h"

#include <algorithm>
#include <map>
#include <utility>

namespace gw::policy {

Destinations::Destinations(std::span<const Class> classes, std::span<const JudgedRule> rules)
    : rules_(rules), classes_(classes.size()) {
  std::map<RuleSet, size_t> known;
  for (const Class& item : classes) {
    const auto [at, added] = known.try_emplace(item.as_destination, kinds_.size());
    if (added) kinds_.push_back({.rules = item.as_destination, .ids = {}});
    kinds_[at->second].ids.push_back(item.id);
    for (const Atom atom : item.signature) {
      if (atom >= by_atom_.size()) by_atom_.resize(atom + size_t{1});
      by_atom_[atom].push_back(at->second);
    }
  }
  for (std::vector<size_t>& kinds : by_atom_) {
    std::ranges::sort(kinds);
    kinds.erase(std::ranges::unique(kinds).begin(), kinds.end());
  }
  atom_seen_.resize(by_atom_.size());
  kind_seen_.resize(kinds_.size());
}

const std::vector<size_t>& Destinations::reachable(const RuleSet& as_source) {
  found_.clear();
  ++call_;
  for_each_rule(as_source, [&](size_t position) {
    for (const Atom atom : rules_[position].to) add(atom);
  });
  std::ranges::sort(found_);
  return found_;
}

void Destinations::add(Atom atom) {
  // Atoms past the end are matched by no class.
  if (atom >= by_atom_.size() || std::exchange(atom_seen_[atom], call_) == call_) return;
  for (const size_t kind : by_atom_[atom]) {
    if (std::exchange(kind_seen_[kind], call_) != call_) found_.push_back(kind);
  }
}

}  // namespace gw::policy
