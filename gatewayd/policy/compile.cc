// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/compile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "gatewayd/policy/classes.h"
#include "gatewayd/policy/fingerprint.h"
#include "gatewayd/policy/pairs.h"
#include "gatewayd/policy/regions.h"

namespace gw::policy {

using ClassIds = std::map<Signature, uint32_t>;

struct Compiled::Lookup {
  Vocabulary vocabulary;
  ClassIds classes;
};

namespace {

// What an entry takes on a 64-bit kernel, with its share of hash buckets or intermediate trie nodes
// (kernel/bpf/hashtab.c struct htab_elem, kernel/bpf/lpm_trie.c struct lpm_trie_node).
constexpr size_t kPairBytes = 104;
constexpr size_t kPrefixBytes = 144;
constexpr size_t kNatClassBytes = 96;
constexpr uint8_t kMappedBits = 96;

gw_prefix_key key_of(const Prefix& prefix) {
  gw_prefix_key key{};
  key.prefixlen = prefix.length + (prefix.address.family == Family::v4 ? kMappedBits : 0U);
  const auto bytes = prefix.address.mapped();
  std::memcpy(&key.addr, bytes.data(), bytes.size());
  return key;
}

bool before(const gw_prefix_key& a, const gw_prefix_key& b) {
  if (a.prefixlen != b.prefixlen) return a.prefixlen < b.prefixlen;
  return std::memcmp(&a.addr, &b.addr, sizeof a.addr) < 0;
}

ClassIds number_classes(const std::vector<Region>& regions, std::span<const HostFacts> hosts,
                        const Vocabulary& vocabulary, Interner& interner) {
  std::set<Signature> signatures;
  for (const Region& region : regions) signatures.insert(region.signature);
  for (const HostFacts& host : hosts) signatures.insert(vocabulary.signature_of(host));
  ClassIds out;
  for (const Signature& signature : signatures) {
    out[signature] = signature.empty() ? GW_CLASS_NONE : interner.signature(vocabulary.text(signature));
  }
  return out;
}

void fill_prefixes(const std::vector<Region>& regions, const ClassIds& ids, bpf::PolicyImage& image) {
  for (const Region& region : regions) {
    image.prefixes.push_back(
        {key_of(region.prefix),
         {.class_id = ids.at(region.signature), .link = region.link, .flags = region.flags, .pad = 0}});
  }
  std::ranges::sort(image.prefixes, before, [](const auto& entry) { return entry.first; });
}

void fill_nat_classes(const config::Config& config, const ClassIds& ids, const Vocabulary& vocabulary,
                      bpf::PolicyImage& image) {
  std::set<Atom> sources;
  for (const config::Nat& nat : config.nat) {
    for (const config::Selector& selector : nat.from) sources.insert(vocabulary.find(selector).value());
  }
  for (const auto& [signature, id] : ids) {
    if (std::ranges::any_of(signature, [&](Atom atom) { return sources.contains(atom); }))
      image.nat_classes.push_back(id);
  }
  std::ranges::sort(image.nat_classes);
}

std::vector<Class> classes_of(const ClassIds& ids) {
  std::vector<Class> out;
  for (const auto& [signature, id] : ids) {
    if (id != GW_CLASS_NONE) out.push_back({.id = id, .signature = signature, .as_source = {}, .as_destination = {}});
  }
  std::ranges::sort(out, {}, &Class::id);
  return out;
}

}  // namespace

std::optional<uint32_t> Compiled::class_of(const HostFacts& host) const {
  const auto at = lookup->classes.find(lookup->vocabulary.signature_of(host));
  if (at == lookup->classes.end()) return std::nullopt;
  return at->second;
}

size_t table_bytes(const bpf::PolicyImage& image) {
  return image.prefixes.size() * kPrefixBytes + image.pairs.size() * kPairBytes + image.nodes.size() * sizeof(gw_node) +
         image.nat_classes.size() * kNatClassBytes;
}

Result<Compiled> compile(const config::Config& config, std::span<const HostFacts> hosts, Interner& interner,
                         size_t budget_bytes) {
  Interner names = interner;
  const Vocabulary vocabulary(config);
  const std::vector<JudgedRule> rules = judged_rules(config, vocabulary);
  RuleTables tables;
  for (const JudgedRule& rule : rules) {
    const uint32_t id = names.rule(rule.name);
    if (id >= GW_MAX_RULES) {
      return failure(ENOSPC, "compile the policy", "rule '" + rule.name + "'",
                     "all " + std::to_string(GW_MAX_RULES - 1) +
                         " rule numbers have been given out since the gateway booted; use names that were there "
                         "before, or reboot");
    }
    tables.add(rule.services, rule.action, rule.log, id);
  }
  const std::vector<Region> regions = cut_regions(config, vocabulary, link_ids(config, names));
  ClassIds ids = number_classes(regions, hosts, vocabulary, names);
  std::vector<Class> classes = classes_of(ids);
  match_rules(classes, rules, vocabulary);
  Compiled out;
  fill_prefixes(regions, ids, out.image);
  fill_nat_classes(config, ids, vocabulary, out.image);
  if (auto made = make_pairs(classes, rules, tables, budget_bytes, out.image); !made)
    return std::unexpected(made.error());
  out.image.fingerprint = fingerprint(out.image);
  out.lookup = std::make_shared<const Compiled::Lookup>(Compiled::Lookup{vocabulary, std::move(ids)});
  interner = std::move(names);
  return out;
}

}  // namespace gw::policy
