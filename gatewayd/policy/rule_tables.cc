// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/rule_tables.h"

#include <algorithm>
#include <bit>

#include "gatewayd/policy/hash.h"

namespace gw::policy {
namespace {

using config::Service;

constexpr std::array<Ref, GW_KINDS> kSilent = {kDefaultRef, kDefaultRef, kDefaultRef, kDefaultRef};

constexpr Ref action_bits(config::Action action) {
  switch (action) {
    case config::Action::allow:
      return GW_ACTION_ALLOW << GW_REF_ACTION_SHIFT;
    case config::Action::reject:
      return GW_ACTION_REJECT << GW_REF_ACTION_SHIFT;
    case config::Action::deny:
      return GW_ACTION_DENY << GW_REF_ACTION_SHIFT;
  }
  return GW_ACTION_DENY << GW_REF_ACTION_SHIFT;
}

bool covers(const Service& service, gw_kind kind) {
  switch (service.kind) {
    case Service::Kind::any:
      return true;
    case Service::Kind::tcp:
      return kind == GW_KIND_TCP;
    case Service::Kind::udp:
      return kind == GW_KIND_UDP;
    case Service::Kind::icmp:
      return kind == GW_KIND_ICMP;
    case Service::Kind::protocol:
      return kind == GW_KIND_OTHER;
  }
  return false;
}

}  // namespace

size_t RuleTables::Hash::operator()(const Roots& roots) const {
  uint64_t hash = 0;
  for (const Ref root : roots) hash = mix(hash, root);
  return hash;
}

size_t RuleTables::Hash::operator()(const RuleWord& word) const { return mix(mix(0, word.word), word.bits); }

RuleTables::RuleTables() { intern(kSilent); }  // kEmptyTable

void RuleTables::add(std::span<const Service> services, config::Action action, bool log, uint32_t id) {
  const Ref leaf = GW_REF_LEAF | action_bits(action) | (log ? GW_REF_LOG : 0U) | (id & GW_REF_RULE_MASK);
  Roots roots = kSilent;
  for (const Service& service : services) {
    const bool all_keys = service.kind == Service::Kind::any;
    const Ref admitted = all_keys ? leaf : nodes_.range(service.first, service.last, leaf);
    for (const gw_kind kind : {GW_KIND_TCP, GW_KIND_UDP, GW_KIND_ICMP, GW_KIND_OTHER}) {
      if (covers(service, kind)) roots[kind] = nodes_.overlay(roots[kind], admitted);
    }
  }
  rules_.push_back(roots);
}

TableId RuleTables::intern(const Roots& roots) {
  const auto [at, added] = known_.try_emplace(roots, static_cast<TableId>(tables_.size()));
  if (added) tables_.push_back(roots);
  return at->second;
}

bool RuleTables::overlay(Roots& roots, const Roots& rest) {
  bool total = true;
  for (size_t kind = 0; kind < roots.size(); ++kind) {
    roots[kind] = nodes_.overlay(roots[kind], rest[kind]);
    total = total && nodes_.is_total(roots[kind]);
  }
  return total;
}

const RuleTables::Roots& RuleTables::rule_at(const RuleWord& word, uint64_t bits) const {
  return rules_[word.word * size_t{64} + static_cast<size_t>(std::countr_zero(bits))];
}

const RuleTables::Roots& RuleTables::roots_of(const RuleWord& word) {
  if (std::has_single_bit(word.bits)) return rule_at(word, word.bits);
  const auto [at, added] = words_.try_emplace(word, kSilent);
  if (!added) return at->second;
  for (uint64_t left = word.bits; left != 0; left &= left - 1) {
    if (overlay(at->second, rule_at(word, left))) break;
  }
  return at->second;
}

TableId RuleTables::table(std::span<const RuleWord> rules) {
  Roots out = kSilent;
  for (const RuleWord& word : rules) {
    if (overlay(out, roots_of(word))) break;
  }
  return intern(out);
}

}  // namespace gw::policy
