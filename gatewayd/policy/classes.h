// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "gatewayd/policy/rule_tables.h"
#include "gatewayd/policy/vocabulary.h"

namespace gw::policy {

/// A rule reduced to what can be indexed, in the order of judgement: the written ones, then interconnect groups'.
struct JudgedRule {
  std::string name;
  config::Action action = config::Action::deny;
  bool log = false;
  std::vector<config::Service> services;
  std::vector<Atom> from;
  std::vector<Atom> to;
};
std::vector<JudgedRule> judged_rules(const config::Config& config, const Vocabulary& vocabulary);

/// A class and the rules that it can meet.
struct Class {
  uint32_t id = GW_CLASS_NONE;
  Signature signature;
  RuleSet as_source;       ///< rules whose `from` it matches; empty for the gateway
  RuleSet as_destination;  ///< rules whose `to` it matches
};

/// Fills in the rules of each class.
void match_rules(std::vector<Class>& classes, std::span<const JudgedRule> rules, const Vocabulary& vocabulary);

template <class Visit>
void for_each_rule(const RuleSet& set, Visit&& visit) {
  for (const RuleWord& word : set) {
    for (uint64_t left = word.bits; left != 0; left &= left - 1) {
      visit(word.word * size_t{64} + static_cast<size_t>(std::countr_zero(left)));
    }
  }
}

/// The rules that are in both.
void intersect(const RuleSet& a, const RuleSet& b, RuleSet& out);

}  // namespace gw::policy
