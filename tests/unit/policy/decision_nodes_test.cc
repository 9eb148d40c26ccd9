// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/decision_nodes.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace gw::policy {
namespace {

constexpr Ref leaf(uint32_t rule) { return GW_REF_LEAF | rule; }
constexpr size_t kKeys = 65536;

Ref at(const DecisionNodes& nodes, Ref ref, uint32_t key) {
  for (unsigned shift = 12; !is_leaf(ref); shift -= 4) ref = nodes.node(ref).child[key >> shift & 0xfU];
  return ref;
}

TEST(DecisionNodes, ARangeHoldsExactlyItsKeys) {
  DecisionNodes nodes;
  for (const auto& [first, last] :
       {std::pair{443, 443}, {0, 0}, {65535, 65535}, {1000, 2000}, {4096, 8191}, {15, 16}}) {
    const Ref ref = nodes.range(static_cast<uint16_t>(first), static_cast<uint16_t>(last), leaf(7));
    for (int key = 0; key < static_cast<int>(kKeys); ++key) {
      ASSERT_EQ(at(nodes, ref, static_cast<uint32_t>(key)), first <= key && key <= last ? leaf(7) : kDefaultRef) << key;
    }
  }
}

TEST(DecisionNodes, AllKeysAreALeafAndOneKeyIsFourNodes) {
  DecisionNodes nodes;
  EXPECT_EQ(nodes.range(0, 65535, leaf(7)), leaf(7));
  EXPECT_EQ(nodes.size(), 0U);
  nodes.range(443, 443, leaf(7));
  EXPECT_EQ(nodes.size(), 4U);
}

TEST(DecisionNodes, EqualFunctionsAreOneHoweverTheyWereMade) {
  DecisionNodes nodes;
  const Ref whole = nodes.range(100, 300, leaf(7));
  const Ref low = nodes.range(100, 200, leaf(7));
  const Ref high = nodes.range(201, 300, leaf(7));
  EXPECT_EQ(nodes.overlay(low, high), whole);
  EXPECT_EQ(nodes.overlay(high, low), whole);
  const size_t size = nodes.size();
  EXPECT_EQ(nodes.range(100, 300, leaf(7)), whole);
  EXPECT_EQ(nodes.size(), size);
}

TEST(DecisionNodes, IsTotalWhenNoKeyIsLeft) {
  DecisionNodes nodes;
  const Ref all_but_one = nodes.overlay(nodes.range(0, 442, leaf(1)), nodes.range(444, 65535, leaf(2)));
  EXPECT_FALSE(nodes.is_total(all_but_one));
  EXPECT_FALSE(nodes.is_total(kDefaultRef));
  EXPECT_TRUE(nodes.is_total(nodes.overlay(all_but_one, nodes.range(443, 443, leaf(3)))));
}

TEST(DecisionNodes, OverlaysSayWhatTheFirstThatAdmitsAKeySays) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    DecisionNodes nodes;
    std::vector<Ref> expected(kKeys, kDefaultRef);
    Ref ref = kDefaultRef;
    for (uint32_t rule = 1; rule <= 12; ++rule) {
      const auto first = static_cast<uint16_t>(random());
      const auto last = static_cast<uint16_t>(std::min<uint64_t>(first + (random() >> (48 + random() % 16)), 65535));
      ref = nodes.overlay(ref, nodes.range(first, last, leaf(rule)));
      for (size_t key = first; key <= last; ++key) {
        if (expected[key] == kDefaultRef) expected[key] = leaf(rule);
      }
    }
    for (uint32_t key = 0; key < kKeys; ++key)
      ASSERT_EQ(at(nodes, ref, key), expected[key]) << "seed " << seed << " key " << key;
  }
}

}  // namespace
}  // namespace gw::policy
