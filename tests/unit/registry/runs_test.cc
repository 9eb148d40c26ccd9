// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/runs.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "gatewayd/registry/pool.h"

namespace gw::registry {
namespace {

TEST(RunSet, AgreesWithAPlainSetAfterAnyChange) {
  std::mt19937 random(7);
  RunSet runs;
  std::set<uint32_t> plain;
  for (int i = 0; i < 20000; ++i) {
    const uint32_t value = random() % 200;
    if (random() % 2 == 0) {
      runs.insert(value);
      plain.insert(value);
    } else {
      runs.erase(value);
      plain.erase(value);
    }
    const uint32_t from = random() % 200;
    uint32_t free = from;
    while (plain.contains(free)) ++free;
    ASSERT_EQ(static_cast<uint32_t>(runs.lowest_free(from)), free);
    ASSERT_EQ(runs.contains(from), plain.contains(from));
    const uint32_t last = from + random() % 100;
    const auto expected = std::distance(plain.lower_bound(from), plain.upper_bound(last));
    ASSERT_EQ(runs.count(from, last), static_cast<uint64_t>(expected));
  }
}

TEST(Pool, LeavesNetworkGatewayStandbyAndBroadcastOut) {
  const auto range = client_range(*Prefix::parse("172.16.201.0/24"));
  ASSERT_TRUE(range);
  EXPECT_EQ(address_of(range->first).str(), "172.16.201.3");
  EXPECT_EQ(address_of(range->last).str(), "172.16.201.254");
  EXPECT_EQ(range->size(), 252U);
}

TEST(Pool, OfIpv6HasNoBroadcast) {
  const auto range = client_range(*Prefix::parse("fd00::/126"));
  ASSERT_TRUE(range);
  EXPECT_EQ(address_of(range->first).str(), "fd00::3");
  EXPECT_EQ(range->size(), 1U);
  EXPECT_EQ(client_range(*Prefix::parse("fd00::/64"))->size(), UINT64_MAX - 2);
  EXPECT_EQ(client_range(*Prefix::parse("fd00::/48"))->size(), UINT64_MAX);
  EXPECT_EQ(client_range(*Prefix::parse("fd00::/65"))->size(), (uint64_t{1} << 63U) - 3);
}

TEST(Pool, MayBeTooSmallForAnyClient) {
  for (const char* small : {"10.0.0.0/30", "10.0.0.0/31", "10.0.0.1/32", "fd00::/127", "fd00::1/128"}) {
    EXPECT_FALSE(client_range(*Prefix::parse(small))) << small;
  }
  EXPECT_EQ(client_range(*Prefix::parse("10.0.0.0/29"))->size(), 4U);
}

}  // namespace
}  // namespace gw::registry
