// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/limiter.h"

#include <gtest/gtest.h>

namespace gw::events {
namespace {

using std::chrono::milliseconds;

TEST(Limiter, LetsABurstThroughAndThenOneLineASecond) {
  Limiter limiter(1, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.admit(milliseconds(5000)), 0U);
  EXPECT_FALSE(limiter.admit(milliseconds(5000)));
  EXPECT_FALSE(limiter.admit(milliseconds(5999)));
  EXPECT_EQ(limiter.admit(milliseconds(6000)), 2U) << "and says how many it kept back";
  EXPECT_FALSE(limiter.admit(milliseconds(6001)));
}

TEST(Limiter, SavesUpNoMoreThanABurst) {
  Limiter limiter(100, 2);
  EXPECT_TRUE(limiter.admit(milliseconds(1'000'000)));
  EXPECT_TRUE(limiter.admit(milliseconds(1'000'000)));
  EXPECT_FALSE(limiter.admit(milliseconds(1'000'000)));
}

TEST(Limiter, IsNotConfusedByTimeThatStandsStillOrGoesBack) {
  Limiter limiter(1, 1);
  EXPECT_TRUE(limiter.admit(milliseconds(1000)));
  EXPECT_FALSE(limiter.admit(milliseconds(1000)));
  EXPECT_FALSE(limiter.admit(milliseconds(10)));
  EXPECT_TRUE(limiter.admit(milliseconds(2000)));
}

}  // namespace
}  // namespace gw::events
