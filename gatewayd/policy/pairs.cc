// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/pairs.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <unordered_map>

#include "gatewayd/policy/compile.h"

namespace gw::policy {
namespace {

constexpr size_t kNamedRules = 3;

template <class Visit>
void for_each_rule(const RuleSet& set, Visit&& visit) {
  for (const RuleWord& word : set) {
    for (uint64_t left = word.bits; left != 0; left &= left - 1) {
      visit(word.word * size_t{64} + static_cast<size_t>(std::countr_zero(left)));
    }
  }
}

/// Finds the destinations that a source can reach by some rule, without trying all classes.
class Destinations {
 public:
  Destinations(std::span<const Class> classes, std::span<const JudgedRule> rules) : rules_(rules) {
    for (size_t i = 0; i < classes.size(); ++i) {
      for (const Atom atom : classes[i].signature) {
        if (atom >= by_atom_.size()) by_atom_.resize(atom + size_t{1});
        by_atom_[atom].push_back(i);
      }
    }
    atom_seen_.resize(by_atom_.size());
    class_seen_.resize(classes.size());
  }

  /// Indices of classes, sorted.
  const std::vector<size_t>& of(const Class& source) {
    found_.clear();
    ++round_;
    for_each_rule(source.as_source, [&](size_t position) {
      for (const Atom atom : rules_[position].to) add(atom);
    });
    std::ranges::sort(found_);
    return found_;
  }

 private:
  void add(Atom atom) {
    // A selector that no class matches need not be in the index.
    if (atom >= by_atom_.size() || std::exchange(atom_seen_[atom], round_) == round_) return;
    for (const size_t i : by_atom_[atom]) {
      if (std::exchange(class_seen_[i], round_) != round_) found_.push_back(i);
    }
  }

  std::span<const JudgedRule> rules_;
  std::vector<std::vector<size_t>> by_atom_;
  std::vector<size_t> atom_seen_;  ///< the last round that met it
  std::vector<size_t> class_seen_;
  std::vector<size_t> found_;
  size_t round_ = 0;
};

/// Copies the nodes that are reachable from the pairs, in the order in which the pairs reach them: the same policy
/// gives the same image, and what the compiler made on the way stays out.
class Packing {
 public:
  Packing(const DecisionNodes& from, std::vector<gw_node>& to) : from_(from), to_(to) {}

  Ref pack(Ref ref) {
    if (is_leaf(ref)) return ref;
    if (const auto known = packed_.find(ref); known != packed_.end()) return known->second;
    const auto out = static_cast<Ref>(to_.size());
    packed_[ref] = out;
    to_.emplace_back();
    gw_node node = from_.node(ref);
    for (Ref& child : node.child) child = pack(child);
    to_[out] = node;
    return out;
  }

 private:
  const DecisionNodes& from_;
  std::vector<gw_node>& to_;
  std::unordered_map<Ref, Ref> packed_;
};

/// "'dev-web' (5000 pairs), 'ops' (12 pairs)": the rules that match most pairs of classes.
std::string costliest(std::span<const Class> classes, std::span<const JudgedRule> rules) {
  std::vector<size_t> sources(rules.size());
  std::vector<size_t> destinations(rules.size());
  for (const Class& item : classes) {
    for_each_rule(item.as_source, [&](size_t position) { ++sources[position]; });
    for_each_rule(item.as_destination, [&](size_t position) { ++destinations[position]; });
  }
  std::vector<std::pair<size_t, size_t>> costs;
  for (size_t i = 0; i < rules.size(); ++i) costs.emplace_back(sources[i] * destinations[i], i);
  std::ranges::stable_sort(costs, std::greater<>{}, &std::pair<size_t, size_t>::first);
  std::string out;
  for (size_t i = 0; i < std::min(kNamedRules, costs.size()); ++i) {
    out += (i == 0 ? "'" : ", '") + rules[costs[i].second].name + "' (" + std::to_string(costs[i].first) + " pairs)";
  }
  return out;
}

std::unexpected<Error> over_budget(std::span<const Class> classes, std::span<const JudgedRule> rules, size_t budget) {
  return failure(
      E2BIG, "compile the policy", {},
      "its tables pass the budget of " + std::to_string(budget >> 10U) + " KiB: " + std::to_string(classes.size()) +
          " classes of addresses are told apart. Let fewer rules name single clients, groups and prefixes; those that "
          "match most pairs of classes are " +
          costliest(classes, rules));
}

}  // namespace

Result<void> make_pairs(std::span<const Class> classes, std::span<const JudgedRule> rules, RuleTables& tables,
                        size_t budget_bytes, bpf::PolicyImage& image) {
  Destinations destinations(classes, rules);
  Packing packing(tables.nodes(), image.nodes);
  RuleSet both;
  for (const Class& source : classes) {
    for (const size_t index : destinations.of(source)) {
      const Class& destination = classes[index];
      intersect(source.as_source, destination.as_destination, both);
      if (both.empty()) continue;
      gw_pair pair{};
      std::ranges::transform(tables.roots(tables.table(both)), pair.root, [&](Ref root) { return packing.pack(root); });
      image.pairs.push_back({{.src = source.id, .dst = destination.id}, pair});
    }
    if (table_bytes(image) > budget_bytes) return over_budget(classes, rules, budget_bytes);
  }
  return {};
}

}  // namespace gw::policy
