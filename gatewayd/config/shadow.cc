// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

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

/// The selectors that rules use on one side, to be asked which of them cover another. Asking costs the same for ten
/// rules and for ten thousand: what could cover a selector is enumerated, not searched for.
class Used {
 public:
  Used(const Config& config, Side side) : config_(config), side_(side) {}

  void add(const Selector& selector) {
    if (selectors_.insert(selector).second && prefixes_of(config_, selector) != nullptr) places_.push_back(selector);
  }

  [[nodiscard]] std::vector<Selector> covering(const Selector& narrow) const {
    std::vector<Selector> out;
    const auto keep = [&](const Selector& wide) {
      if (selectors_.contains(wide) && covers(config_, side_, wide, narrow)) out.push_back(wide);
    };
    keep({Selector::Kind::any, {}, {}});
    keep({Selector::Kind::vpn, {}, {}});
    if (const Prefix* block = first_block(narrow)) {
      for (int length = block->length; length >= 0; --length) {
        keep({Selector::Kind::prefix, {}, Prefix::of(block->address, static_cast<uint8_t>(length))});
      }
    }
    for (const Selector& place : places_) keep(place);
    const bool tried = narrow.kind == Selector::Kind::any || narrow.kind == Selector::Kind::vpn ||
                       narrow.kind == Selector::Kind::prefix || prefixes_of(config_, narrow) != nullptr;
    if (!tried) keep(narrow);
    return out;
  }

 private:
  /// A prefix that covers `narrow` contains this one.
  [[nodiscard]] const Prefix* first_block(const Selector& narrow) const {
    if (narrow.kind == Selector::Kind::prefix) return &narrow.prefix;
    const auto* prefixes = prefixes_of(config_, narrow);
    return prefixes == nullptr || prefixes->empty() ? nullptr : &prefixes->front();
  }

  const Config& config_;
  Side side_;
  std::set<Selector> selectors_;
  std::vector<Selector> places_;
};

/// Rules by each of their (from, to) pairs. A rule that shadows another has a pair that covers the other's first pair,
/// so only the rules under such pairs are compared.
class PairIndex {
 public:
  explicit PairIndex(const Config& config)
      : config_(config), from_(config, Side::source), to_(config, Side::destination) {}

  /// A rule of very many pairs is left out: it shadows nothing then, which is the safe answer.
  void add(const DraftRule& rule) {
    constexpr size_t kMaxPairs = 4096;
    if (rule.rule.from.size() * rule.rule.to.size() > kMaxPairs) return;
    for (const Selector& from : rule.rule.from) {
      for (const Selector& to : rule.rule.to) {
        from_.add(from);
        to_.add(to);
        pairs_[{from, to}].push_back(&rule);
      }
    }
  }

  /// A rule added that shadows `rule`, nullptr for none.
  [[nodiscard]] const DraftRule* find(const DraftRule& rule) const {
    const std::vector<Selector> destinations = to_.covering(rule.rule.to.front());
    for (const Selector& from : from_.covering(rule.rule.from.front())) {
      for (const Selector& to : destinations) {
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
  const Config& config_;
  Used from_;
  Used to_;
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
