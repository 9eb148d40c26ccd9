// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "gatewayd/config/draft.h"
#include "gatewayd/config/selector.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

constexpr std::string_view kBuiltInNames = "builtin-";

/// The names that a selector of this kind may carry; nullptr when it carries none, or one that the registry knows
/// (client).
const std::map<std::string, Mark>* names_for(Selector::Kind kind, const Draft& draft) {
  if (kind == Selector::Kind::subnet) return &draft.subnets;
  if (kind == Selector::Kind::group) return &draft.groups;
  if (kind == Selector::Kind::site) return &draft.sites;
  return nullptr;
}

void check_name(Diagnostics& diagnostics, const Selector& selector, const Mark& mark, const Draft& draft) {
  const auto* names = names_for(selector.kind, draft);
  if (names == nullptr || names->contains(selector.name)) return;
  const std::vector<std::string_view> known = [&] {
    std::vector<std::string_view> out;
    for (const auto& [name, unused] : *names) out.push_back(name);
    return out;
  }();
  const std::string text = selector.str();
  diagnostics.missing(mark, fmt::format("unknown {} '{}'{}", text.substr(0, text.find(':')), selector.name,
                                        hint(selector.name, known)));
}

std::vector<Selector> read_selectors(Diagnostics& diagnostics, const YamlNode* node, const Draft& draft) {
  std::vector<Selector> out;
  if (node != nullptr && node->is(YamlNode::Kind::sequence) && node->items.empty())
    diagnostics.error(node->mark, "an empty list matches nothing; write [any] or delete the whole entry");
  for (const Text& text : read_texts(diagnostics, node)) {
    const auto selector = selector_of(text.text);
    if (!selector) {
      diagnostics.error(text.mark, selector.error());
      continue;
    }
    check_name(diagnostics, *selector, text.mark, draft);
    out.push_back(*selector);
  }
  return out;
}

/// A word without a slash may be a name that stands elsewhere.
void report_service(Diagnostics& diagnostics, const Text& text, const std::string& why) {
  if (text.text.find('/') == std::string::npos) return diagnostics.missing(text.mark, why);
  diagnostics.error(text.mark, why);
}

void read_rule_services(Diagnostics& diagnostics, const YamlNode* node, Rule& rule, const Draft& draft) {
  if (node == nullptr) {
    rule.services = {Service{}};
    rule.service_names = {"any"};
    return;
  }
  if (node->is(YamlNode::Kind::sequence) && node->items.empty())
    diagnostics.error(node->mark, "an empty list matches nothing; write [any] or delete 'services'");
  for (Text& text : read_texts(diagnostics, node)) {
    if (const auto services = services_of(text.text, draft.config.services)) {
      rule.services.insert(rule.services.end(), services->begin(), services->end());
    } else {
      report_service(diagnostics, text, services.error());
    }
    rule.service_names.push_back(std::move(text.text));
  }
}

void read_rule_name(Diagnostics& diagnostics, const YamlNode* node, Rule& rule) {
  if (node == nullptr) return;
  rule.name = read_label(diagnostics, node).value_or("");
  if (rule.name.starts_with(kBuiltInNames)) {
    diagnostics.error(node->mark,
                      fmt::format("names that begin with '{}' are the gateway's own; choose another", kBuiltInNames));
  }
}

/// What the gateway itself sends is not judged (DATAPLANE "Zones").
void warn_of_gateway(Diagnostics& diagnostics, const YamlNode* from, const Rule& rule) {
  const auto is_gateway = [](const Selector& selector) { return selector.kind == Selector::Kind::gateway; };
  if (std::none_of(rule.from.begin(), rule.from.end(), is_gateway)) return;
  diagnostics.warning(from->mark, "rules do not judge what the gateway itself sends; 'gateway' matches nothing here");
}

DraftRule read_rule(Diagnostics& diagnostics, const YamlNode& node, const Draft& draft) {
  DraftRule out;
  Rule& rule = out.rule;
  out.mark = node.mark;
  rule.origin = diagnostics.origin(node.mark);
  const Section section(diagnostics, node, "a rule",
                        {"name", "action", "from", "to", "services", "log", "before", "after"});
  if (!node.is(YamlNode::Kind::map)) return out;
  read_rule_name(diagnostics, section.require("name", "name: web-for-developers"), rule);
  rule.action = read_word<Action>(diagnostics, section.require("action", "action: allow"),
                                  {{"allow", Action::allow}, {"deny", Action::deny}, {"reject", Action::reject}})
                    .value_or(Action::deny);
  rule.from = read_selectors(diagnostics, section.require("from", "from: [vpn]"), draft);
  warn_of_gateway(diagnostics, section.get("from"), rule);
  rule.to = read_selectors(diagnostics, section.require("to", "to: [subnet:web]"), draft);
  read_rule_services(diagnostics, section.get("services"), rule, draft);
  rule.log = read_bool(diagnostics, section.get("log")).value_or(false);
  out.before = read_text(diagnostics, section.get("before"));
  out.after = read_text(diagnostics, section.get("after"));
  return out;
}

std::vector<Service> read_service(Diagnostics& diagnostics, const Named& named) {
  std::vector<Service> out;
  if (is_service_word(named.name))
    diagnostics.error(named.mark, fmt::format("'{}' has a fixed meaning; choose another name", named.name));
  const auto texts = read_texts(diagnostics, named.value);
  for (const Text& text : texts) {
    if (const auto services = services_of(text.text, {})) {
      out.insert(out.end(), services->begin(), services->end());
    } else {
      diagnostics.error(text.mark, services.error());
    }
  }
  const bool none = named.value->is(YamlNode::Kind::null) ||
                    (named.value->is(YamlNode::Kind::sequence) && named.value->items.empty());
  if (none)
    diagnostics.error(named.mark, fmt::format("service '{}' is empty; write {}: [tcp/443]", named.name, named.name));
  return out;
}

}  // namespace

void read_services(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  for (const Named& named : read_names(diagnostics, node, "service")) {
    draft.config.services.emplace(named.name, read_service(diagnostics, named));
  }
}

void read_rules(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  std::map<std::string, Mark> seen;
  for (const YamlNode* item : read_items(diagnostics, node, "rules")) {
    DraftRule rule = read_rule(diagnostics, *item, draft);
    const auto [first, fresh] = seen.emplace(rule.rule.name, rule.mark);
    if (!fresh && !rule.rule.name.empty()) {
      diagnostics.error(rule.mark, fmt::format("rule '{}' is given twice, first at {}; rename one", rule.rule.name,
                                               diagnostics.place(first->second)));
      continue;
    }
    draft.rules.push_back(std::move(rule));
  }
}

void read_nat(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  for (const YamlNode* item : read_items(diagnostics, node, "nat")) {
    const Section section(diagnostics, *item, "an entry of 'nat'", {"from", "out"});
    if (!item->is(YamlNode::Kind::map)) continue;
    Nat nat;
    nat.origin = diagnostics.origin(item->mark);
    const YamlNode* from = section.require("from", "from: vpn");
    nat.from = read_selectors(diagnostics, from, draft);
    for (const Selector& selector : nat.from) {
      if (selector.kind != Selector::Kind::internet && selector.kind != Selector::Kind::gateway) continue;
      diagnostics.error(
          from->mark,
          fmt::format("'{}' cannot be masqueraded; name who is behind the gateway, such as vpn or subnet:NAME",
                      selector.str()));
    }
    nat.out = read_device(diagnostics, section.require("out", "out: eth0"));
    draft.config.nat.push_back(std::move(nat));
  }
}

}  // namespace gw::config
