// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/decision_nodes.h"

#include <algorithm>
#include <iterator>

#include "gatewayd/policy/hash.h"

namespace gw::policy {
namespace {

constexpr unsigned kDepth = 4;
constexpr unsigned kBitsPerNode = 4;

/// How many keys one child of a node at `depth` stands for.
constexpr uint32_t child_keys(unsigned depth) { return 1U << (kBitsPerNode * (kDepth - 1 - depth)); }

}  // namespace

size_t DecisionNodes::Hash::operator()(Ref ref) const {
  uint64_t hash = 0;
  for (const uint32_t child : (*nodes)[ref].child) hash = mix(hash, child);
  return hash;
}

bool DecisionNodes::Equal::operator()(Ref a, Ref b) const {
  return std::ranges::equal((*nodes)[a].child, (*nodes)[b].child);
}

DecisionNodes::DecisionNodes() : known_(0, Hash{&nodes_}, Equal{&nodes_}) {}

Ref DecisionNodes::intern(const gw_node& node) {
  const Ref first = node.child[0];
  if (is_leaf(first) && std::ranges::all_of(node.child, [&](Ref child) { return child == first; })) return first;
  const auto ref = static_cast<Ref>(nodes_.size());
  nodes_.push_back(node);
  const auto [at, added] = known_.insert(ref);
  if (!added) {
    nodes_.pop_back();
    return *at;
  }
  total_.push_back(std::ranges::all_of(node.child, [&](Ref child) { return is_total(child); }));
  return ref;
}

bool DecisionNodes::is_total(Ref ref) const { return is_leaf(ref) ? ref != kDefaultRef : total_[ref]; }

Ref DecisionNodes::range(uint16_t first, uint16_t last, Ref leaf) { return range_below(0, 0, first, last, leaf); }

Ref DecisionNodes::range_below(unsigned depth, uint32_t start, uint32_t first, uint32_t last, Ref leaf) {
  gw_node node;
  for (Ref& child : node.child) {
    const uint32_t end = start + child_keys(depth) - 1;
    if (end < first || last < start) {
      child = kDefaultRef;
    } else if (first <= start && end <= last) {
      child = leaf;
    } else {
      child = range_below(depth + 1, start, first, last, leaf);
    }
    start = end + 1;
  }
  return intern(node);
}

Ref DecisionNodes::overlay(Ref first, Ref rest) {
  if (is_total(first) || rest == kDefaultRef || first == rest) return first;
  if (first == kDefaultRef) return rest;
  const uint64_t key = uint64_t{first} << 32U | rest;
  if (const auto done = overlays_.find(key); done != overlays_.end()) return done->second;
  // Neither is the default nor total, so `first` is a node. By value: `intern` moves nodes.
  const gw_node upper = nodes_[first];
  gw_node lower;
  if (is_leaf(rest)) {
    std::ranges::fill(lower.child, rest);
  } else {
    lower = nodes_[rest];
  }
  gw_node out;
  for (size_t i = 0; i < std::size(out.child); ++i) out.child[i] = overlay(upper.child[i], lower.child[i]);
  return overlays_[key] = intern(out);
}

}  // namespace gw::policy
