// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace gw {
namespace {

const std::array<std::string, 4> kWords = {"interface", "prefixes", "vlan", "via"};

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(nearest("intrface", kWords), "interface");
  EXPECT_EQ(nearest("Prefixes", kWords), "prefixes");
  EXPECT_EQ(nearest("vlna", kWords), "vlan");
  EXPECT_EQ(nearest("vi", kWords), "via");
}

TEST(Nearest, GuessesNothingWhenNothingIsNear) {
  EXPECT_FALSE(nearest("description", kWords));
  EXPECT_FALSE(nearest("x", kWords));
  EXPECT_FALSE(nearest("", kWords));
  EXPECT_FALSE(nearest("vlan", {}));
}

TEST(Nearest, CountsASwapOfNeighboursAsOneStep) {
  const std::array<std::string, 2> words = {"abc", "xbd"};
  EXPECT_EQ(nearest("bac", words), "abc");
}

TEST(DidYouMean, IsAQuestionOrNothing) {
  EXPECT_EQ(did_you_mean("vlam", kWords), "; did you mean 'vlan'?");
  EXPECT_EQ(did_you_mean("zebra", kWords), "");
}

}  // namespace
}  // namespace gw
