// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/vocabulary.h"

#include <algorithm>
#include <set>

namespace gw::policy {
namespace {

using config::Selector;

std::set<Selector> mentioned(const config::Config& config) {
  std::set<Selector> out = {named(Selector::Kind::any), named(Selector::Kind::gateway)};
  for (const config::Rule& rule : config.rules) {
    out.insert(rule.from.begin(), rule.from.end());
    out.insert(rule.to.begin(), rule.to.end());
  }
  for (const config::Nat& nat : config.nat) out.insert(nat.from.begin(), nat.from.end());
  for (const auto& [name, group] : config.groups) {
    if (group.interconnect) out.insert(named(Selector::Kind::group, name));
  }
  return out;
}

/// Its own words, not those that are shown to people: an interned text outlives this program's version.
std::string word(const Selector& selector) {
  switch (selector.kind) {
    case Selector::Kind::any:
      return "any";
    case Selector::Kind::vpn:
      return "vpn";
    case Selector::Kind::internet:
      return "internet";
    case Selector::Kind::gateway:
      return "gateway";
    case Selector::Kind::subnet:
      return "subnet:" + selector.name;
    case Selector::Kind::group:
      return "group:" + selector.name;
    case Selector::Kind::client:
      return "client:" + selector.name;
    case Selector::Kind::site:
      return "site:" + selector.name;
    case Selector::Kind::prefix:
      return selector.prefix.str();
  }
  return {};
}

}  // namespace

Selector named(Selector::Kind kind, const std::string& name) { return {.kind = kind, .name = name, .prefix = {}}; }

Selector literal(const Prefix& prefix) { return {.kind = Selector::Kind::prefix, .name = {}, .prefix = prefix}; }

Vocabulary::Vocabulary(const config::Config& config) {
  std::map<Family, std::set<uint8_t>> lengths;
  for (const Selector& selector : mentioned(config)) {
    atoms_.emplace_hint(atoms_.end(), selector, static_cast<Atom>(selectors_.size()));
    selectors_.push_back(selector);
    if (selector.kind == Selector::Kind::prefix) {
      lengths[selector.prefix.address.family].insert(selector.prefix.length);
    }
  }
  for (const auto& [family, set] : lengths) literal_lengths_[family].assign(set.begin(), set.end());
  any_ = atoms_.at(named(Selector::Kind::any));
  gateway_ = atoms_.at(named(Selector::Kind::gateway));
}

std::optional<Atom> Vocabulary::find(const Selector& selector) const {
  const auto at = atoms_.find(selector);
  if (at == atoms_.end()) return std::nullopt;
  return at->second;
}

std::vector<Prefix> Vocabulary::literals() const {
  std::vector<Prefix> out;
  for (const Selector& selector : selectors_) {
    if (selector.kind == Selector::Kind::prefix) out.push_back(selector.prefix);
  }
  return out;
}

Signature Vocabulary::signature_of(const HostFacts& host) const {
  Signature out = {any_};
  const auto add = [&](const Selector& selector) {
    if (const auto atom = find(selector)) out.push_back(*atom);
  };
  if (host.client.empty()) {
    out.push_back(gateway_);
  } else {
    add(named(Selector::Kind::vpn));
    add(named(Selector::Kind::client, host.client));
    for (const std::string& group : host.groups) add(named(Selector::Kind::group, group));
  }
  if (const auto lengths = literal_lengths_.find(host.address.family); lengths != literal_lengths_.end()) {
    for (const uint8_t length : lengths->second) add(literal(Prefix::of(host.address, length)));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

std::string Vocabulary::text(const Signature& signature) const {
  std::string out;
  for (const Atom atom : signature) {
    if (!out.empty()) out += ' ';
    out += word(selectors_[atom]);
  }
  return out;
}

}  // namespace gw::policy
