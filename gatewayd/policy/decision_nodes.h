// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bpf/abi.h"

namespace gw::policy {

/// A verdict for every 16-bit key: a leaf, or the index of a node (GW_REF_*).
using Ref = uint32_t;

/// The default rule, which is also 'this rule says nothing of that key': no rule has number 0.
inline constexpr Ref kDefaultRef = GW_REF_LEAF | GW_ACTION_DENY << GW_REF_ACTION_SHIFT;

inline constexpr bool is_leaf(Ref ref) { return (ref & GW_REF_LEAF) != 0; }

/// Makes functions from 16-bit keys to verdicts as 16-ary tries (abi.h "gw_node"). Equal tries have equal refs, so a
/// trie is stored once and compared by its ref; results of `overlay` are remembered. Keeps every node it ever made:
/// drop it after use.
class DecisionNodes {
 public:
  DecisionNodes();
  DecisionNodes(const DecisionNodes&) = delete;  // the index refers to this object's nodes
  DecisionNodes& operator=(const DecisionNodes&) = delete;

  /// `leaf` for first..last, the default elsewhere.
  Ref range(uint16_t first, uint16_t last, Ref leaf);
  /// `first`, and where it is the default, `rest`.
  Ref overlay(Ref first, Ref rest);
  /// No key is left to the default.
  [[nodiscard]] bool is_total(Ref ref) const;

  [[nodiscard]] const gw_node& node(Ref ref) const { return nodes_[ref]; }
  [[nodiscard]] size_t size() const { return nodes_.size(); }

 private:
  struct Hash {
    const std::vector<gw_node>* nodes;
    size_t operator()(Ref ref) const;
  };
  struct Equal {
    const std::vector<gw_node>* nodes;
    bool operator()(Ref a, Ref b) const;
  };

  Ref range_below(unsigned depth, uint32_t start, uint32_t first, uint32_t last, Ref leaf);
  Ref intern(const gw_node& node);

  std::vector<gw_node> nodes_;
  std::vector<bool> total_;
  std::unordered_set<Ref, Hash, Equal> known_;
  std::unordered_map<uint64_t, Ref> overlays_;
};

}  // namespace gw::policy
