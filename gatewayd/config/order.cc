// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <list>
#include <utility>

#include "gatewayd/config/draft.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

class Order {
 public:
  explicit Order(std::vector<DraftRule> rules) : rules_(std::move(rules)) {
    for (size_t i = 0; i < rules_.size(); ++i) index_.emplace(rules_[i].rule.name, i);
  }

  std::vector<DraftRule> run(Diagnostics& diagnostics) {
    std::vector<size_t> pending;
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (anchored(diagnostics, rules_[i])) {
        pending.push_back(i);
      } else {
        places_.emplace(i, order_.insert(order_.end(), i));
      }
    }
    for (size_t before = pending.size() + 1; pending.size() < before;) {
      before = pending.size();
      pending = place(pending);
    }
    for (const size_t i : pending) {
      const Text& anchor = rules_[i].before ? *rules_[i].before : *rules_[i].after;
      diagnostics.error(
          anchor.mark,
          fmt::format("rule '{}' stands beside '{}', which in the end stands beside it; drop one 'before' or 'after'",
                      rules_[i].rule.name, anchor.text));
    }
    std::vector<DraftRule> out;
    for (const size_t i : order_) out.push_back(std::move(rules_[i]));
    return out;
  }

 private:
  /// Whether the rule has one good anchor. Reports a bad one.
  [[nodiscard]] bool anchored(Diagnostics& diagnostics, const DraftRule& rule) const {
    if (!rule.before && !rule.after) return false;
    const Text& anchor = rule.before ? *rule.before : *rule.after;
    if (rule.before && rule.after) {
      diagnostics.error(rule.after->mark, "a rule has 'before' or 'after', not both; delete one");
    } else if (!index_.contains(anchor.text)) {
      std::vector<std::string_view> known;
      known.reserve(index_.size());
      for (const auto& [name, unused] : index_) known.push_back(name);
      diagnostics.missing(anchor.mark, fmt::format("unknown rule '{}'{}", anchor.text, hint(anchor.text, known)));
    } else if (anchor.text == rule.rule.name) {
      diagnostics.error(anchor.mark,
                        fmt::format("rule '{}' cannot stand beside itself; name another rule", anchor.text));
    } else {
      return true;
    }
    return false;
  }

  /// Places what stands beside a placed rule; returns the rest.
  std::vector<size_t> place(const std::vector<size_t>& pending) {
    std::vector<size_t> rest;
    std::vector<std::pair<size_t, size_t>> after;
    for (const size_t i : pending) {
      const bool is_before = rules_[i].before.has_value();
      const size_t anchor = index_.at(is_before ? rules_[i].before->text : rules_[i].after->text);
      const auto found = places_.find(anchor);
      if (found == places_.end()) {
        rest.push_back(i);
      } else if (is_before) {
        places_.emplace(i, order_.insert(found->second, i));
      } else {
        after.emplace_back(i, anchor);
      }
    }
    // Last first, so that several rules after the same one end in the order they are written in.
    for (auto it = after.rbegin(); it != after.rend(); ++it) {
      places_.emplace(it->first, order_.insert(std::next(places_.at(it->second)), it->first));
    }
    return rest;
  }

  std::vector<DraftRule> rules_;
  std::map<std::string, size_t> index_;
  std::list<size_t> order_;
  std::map<size_t, std::list<size_t>::iterator> places_;
};

}  // namespace

void order_rules(Diagnostics& diagnostics, Draft& draft) {
  draft.rules = Order(std::move(draft.rules)).run(diagnostics);
}

}  // namespace gw::config
