// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/budget.h"

#include <algorithm>
#include <cerrno>
#include <functional>

namespace gw::policy {
namespace {

constexpr size_t kNamedRules = 3;

/// "'dev-web' (5000 pairs), 'ops' (12 pairs)".
std::string costliest(std::span<const Class> classes, std::span<const JudgedRule> rules) {
  std::vector<size_t> sources(rules.size());
  std::vector<size_t> destinations(rules.size());
  for (const Class& item : classes) {
    for_each_rule(item.as_source, [&](size_t position) { ++sources[position]; });
    for_each_rule(item.as_destination, [&](size_t position) { ++destinations[position]; });
  }
  struct Cost {
    size_t pairs;
    size_t position;
  };
  std::vector<Cost> costs;
  costs.reserve(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) costs.push_back({sources[i] * destinations[i], i});
  std::ranges::stable_sort(costs, std::greater<>{}, &Cost::pairs);
  costs.resize(std::min(kNamedRules, costs.size()));
  std::string out;
  for (const Cost& cost : costs) {
    out += (out.empty() ? "'" : ", '") + rules[cost.position].name + "' (" + std::to_string(cost.pairs) + " pairs)";
  }
  return out;
}

}  // namespace

std::unexpected<Error> over_budget(std::span<const Class> classes, std::span<const JudgedRule> rules,
                                   size_t budget_bytes) {
  return failure(
      E2BIG, "compile the policy", {},
      "its tables pass the budget of " + std::to_string(budget_bytes >> 10U) + " KiB, because the rules tell " +
          std::to_string(classes.size()) +
          " classes of addresses apart; let fewer rules name groups, clients and prefixes. Those that match most "
          "pairs of classes: " +
          costliest(classes, rules));
}

}  // namespace gw::policy
