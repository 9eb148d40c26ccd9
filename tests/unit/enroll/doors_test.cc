// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/doors.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gw::enroll {
namespace {

std::string subscriber(size_t number) { return "2a0d:6:" + std::to_string(number) + "::/64"; }

/// Doors, and who was told to go.
class DoorsTest : public testing::Test {
 protected:
  Doors::Place enter(const std::string& source, const std::string& who) {
    return doors_.enter(source, [this, who] { gone_.push_back(who); });
  }
  Doors doors_{{.connections = 8, .per_source = 3, .failures = 2, .failures_per_second = 0.5}};
  std::vector<std::string> gone_;
};

TEST_F(DoorsTest, DisplacesTheOldestOfTheSameSourceWhenThatHasItsShare) {
  enter("a", "a1");
  enter("a", "a2");
  enter("a", "a3");
  enter("b", "b1");
  EXPECT_TRUE(gone_.empty());
  enter("a", "a4");
  EXPECT_EQ(gone_, std::vector<std::string>{"a1"});
}

TEST_F(DoorsTest, DisplacesTheOldestOfWhoeverHoldsMostWhenThereIsNoRoom) {
  enter("honest", "honest");
  enter("a", "a1");
  enter("b", "b1");
  enter("b", "b2");
  for (int i = 0; i < 4; ++i) enter("c" + std::to_string(i), "c");
  enter("late", "late");
  EXPECT_EQ(gone_, std::vector<std::string>{"b1"});
}

TEST_F(DoorsTest, DisplacesTheOldestOfAllWhereSourcesHoldEquallyMany) {
  for (size_t i = 0; i < 8; ++i) enter(subscriber(i), "attacker" + std::to_string(i));
  enter("honest", "honest");
  for (size_t i = 8; i < 15; ++i) enter(subscriber(i), "attacker" + std::to_string(i));
  EXPECT_EQ(gone_.size(), 8U);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(gone_[i], "attacker" + std::to_string(i)) << "not the honest one";
}

TEST_F(DoorsTest, AsksNobodyTwiceWhileOthersAreThere) {
  for (int i = 0; i < 3; ++i) enter("a", "a" + std::to_string(i));
  for (int i = 3; i < 6; ++i) enter("a", "a" + std::to_string(i));
  EXPECT_EQ(gone_, (std::vector<std::string>{"a0", "a1", "a2"})) << "those that were asked are not gone yet";
}

TEST_F(DoorsTest, GivesThePlaceBack) {
  const auto first = enter("a", "a1");
  enter("b", "b1");
  doors_.leave(first);
  EXPECT_EQ(doors_.open(), 1U);
  for (int i = 0; i < 3; ++i) enter("a", "a");
  EXPECT_TRUE(gone_.empty());
}

TEST_F(DoorsTest, AnswersLateWhoFailsOftenAndForgivesWithTime) {
  EXPECT_FALSE(doors_.failed("a", 0));
  EXPECT_FALSE(doors_.failed("a", 0));
  EXPECT_TRUE(doors_.failed("a", 0));
  EXPECT_FALSE(doors_.failed("b", 0)) << "each for himself";
  EXPECT_TRUE(doors_.failed("a", 1));
  EXPECT_FALSE(doors_.failed("a", 2.5));
}

TEST_F(DoorsTest, RemembersABoundedNumberOfSources) {
  constexpr size_t kMost = 4096;
  for (size_t i = 0; i < 10 * kMost; ++i) {
    doors_.failed(subscriber(i), static_cast<double>(i) / 1e6);
    ASSERT_LE(doors_.remembered(), kMost);
  }
}

TEST(SourceOf, IsASubscriber) {
  EXPECT_EQ(source_of("5.5.5.200"), "5.5.5.200");
  EXPECT_EQ(source_of("::ffff:5.5.5.200"), "5.5.5.200");
  EXPECT_EQ(source_of("2a0d:5::c8"), "2a0d:5::/64");
  EXPECT_EQ(source_of("2a0d:5::1:2:3:4"), source_of("2a0d:5::c8"));
}

}  // namespace
}  // namespace gw::enroll
