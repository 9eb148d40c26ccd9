// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>

#include "gatewayd/config/covers.h"
#include "gatewayd/config/draft.h"

namespace gw::config {
namespace {

bool covers_all(const Config& config, Side side, const std::vector<Selector>& wide,
                const std::vector<Selector>& narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const Selector& each) {
    return std::any_of(wide.begin(), wide.end(), [&](const Selector& one) { return covers(config, side, one, each); });
  });
}

bool shadows(const Config& config, const Rule& earlier, const Rule& later) {
  return std::all_of(later.services.begin(), later.services.end(),
                     [&](const Service& each) { return covers(earlier.services, each); }) &&
         covers_all(config, Side::source, earlier.from, later.from) &&
         covers_all(config, Side::destination, earlier.to, later.to);
}

/// Rules by one of their (from, to) pairs. A rule that shadows another has a pair that covers the other's first pair,
/// so only the rules under such pairs are compared: thousands of rules stay affordable.
class PairIndex {
 public:
  explicit PairIndex(const Config& config) : config_(config) {}

  void add(const DraftRule& rule) {
    for (const Selector& from : rule.rule.from) {
      for (const Selector& to : rule.rule.to) {
        from_.try_emplace(from);
        to_.try_emplace(to);
        pairs_[{from, to}].push_back(&rule);
      }
    }
  }

  /// The first rule added that shadows `rule`, nullptr for none.
  const DraftRule* find(const DraftRule& rule) {
    for (const Selector& from : wider(from_, Side::source, rule.rule.from.front())) {
      for (const Selector& to : wider(to_, Side::destination, rule.rule.to.front())) {
        const auto pair = pairs_.find({from, to});
        if (pair == pairs_.end()) continue;
        for (const DraftRule* earlier : pair->second) {
          if (shadows(config_, earlier->rule, rule.rule)) return earlier;
        }
      }
    }
    return nullptr;
  }

 private:
  using Selectors = std::map<Selector, bool>;

  std::vector<Selector> wider(const Selectors& known, Side side, const Selector& narrow) const {
    std::vector<Selector> out;
    for (const auto& [selector, unused] : known) {
      if (covers(config_, side, selector, narrow)) out.push_back(selector);
    }
    return out;
  }

  const Config& config_;
  Selectors from_;
  Selectors to_;
  std::map<std::pair<Selector, Selector>, std::vector<const DraftRule*>> pairs_;
};

bool complete(const Rule& rule) { return !rule.from.empty() && !rule.to.empty() && !rule.services.empty(); }

}  // namespace

void check_shadows(Diagnostics& diagnostics, const Draft& draft) {
  PairIndex index(draft.config);
  for (const DraftRule& rule : draft.rules) {
    if (!complete(rule.rule)) continue;
    if (const DraftRule* earlier = index.find(rule)) {
      diagnostics.error(rule.mark, fmt::format("rule '{}' never matches: '{}' at {} comes first and matches all that "
                                               "it does; delete it, or put it before that one",
                                               rule.rule.name, earlier->rule.name, diagnostics.place(earlier->mark)));
      continue;
    }
    index.add(rule);
  }
}

}  // namespace gw::config
