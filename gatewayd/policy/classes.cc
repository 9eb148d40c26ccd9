// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/classes.h"

#include <algorithm>
#include <utility>

namespace gw::policy {
namespace {

using config::Selector;

std::vector<Atom> atoms_of(const std::vector<Selector>& selectors, const Vocabulary& vocabulary) {
  std::vector<Atom> out;
  out.reserve(selectors.size());
  for (const Selector& selector : selectors) out.push_back(vocabulary.find(selector).value());
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

/// Which rules name a selector, by atom. Positions are added in rising order.
using RulesByAtom = std::vector<RuleSet>;

void add_position(RuleSet& set, size_t position) {
  const auto word = static_cast<uint32_t>(position / 64);
  if (set.empty() || set.back().word != word) set.push_back({.word = word});
  set.back().bits |= uint64_t{1} << (position % 64);
}

/// The union of what the atoms of a signature index. `scratch` is all zero before and after.
RuleSet rules_of(const Signature& signature, const RulesByAtom& rules, std::vector<uint64_t>& scratch) {
  RuleSet out;
  std::vector<uint32_t> words;
  for (const Atom atom : signature) {
    for (const RuleWord& word : rules[atom]) {
      if (scratch[word.word] == 0) words.push_back(word.word);
      scratch[word.word] |= word.bits;
    }
  }
  std::ranges::sort(words);
  for (const uint32_t word : words) out.push_back({.word = word, .bits = std::exchange(scratch[word], 0)});
  return out;
}

}  // namespace

std::vector<JudgedRule> judged_rules(const config::Config& config, const Vocabulary& vocabulary) {
  std::vector<JudgedRule> out;
  out.reserve(config.rules.size() + config.groups.size());
  for (const config::Rule& rule : config.rules) {
    out.push_back({.name = rule.name,
                   .action = rule.action,
                   .log = rule.log,
                   .services = rule.services,
                   .from = atoms_of(rule.from, vocabulary),
                   .to = atoms_of(rule.to, vocabulary)});
  }
  for (const auto& [name, group] : config.groups) {
    if (!group.interconnect) continue;
    const Atom members = vocabulary.find(named(Selector::Kind::group, name)).value();
    out.push_back({.name = interconnect_rule_name(name),
                   .action = config::Action::allow,
                   .services = {config::Service{}},
                   .from = {members},
                   .to = {members}});
  }
  return out;
}

void match_rules(std::vector<Class>& classes, std::span<const JudgedRule> rules, const Vocabulary& vocabulary) {
  RulesByAtom from(vocabulary.size());
  RulesByAtom to(vocabulary.size());
  for (size_t position = 0; position < rules.size(); ++position) {
    for (const Atom atom : rules[position].from) add_position(from[atom], position);
    for (const Atom atom : rules[position].to) add_position(to[atom], position);
  }
  std::vector<uint64_t> scratch(rules.size() / 64 + 1);
  for (Class& item : classes) {
    const bool gateway = std::ranges::binary_search(item.signature, vocabulary.gateway());
    // What the gateway sends itself meets no ingress hook, so its address as a source can only be a forgery.
    item.as_source = gateway ? RuleSet{} : rules_of(item.signature, from, scratch);
    item.as_destination = rules_of(item.signature, to, scratch);
  }
}

void intersect(const RuleSet& a, const RuleSet& b, RuleSet& out) {
  out.clear();
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (x->word != y->word) {
      ++(x->word < y->word ? x : y);
      continue;
    }
    if (const uint64_t bits = x->bits & y->bits; bits != 0) out.push_back({.word = x->word, .bits = bits});
    ++x;
    ++y;
  }
}

}  // namespace gw::policy
