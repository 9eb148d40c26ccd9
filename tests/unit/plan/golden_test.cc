// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/plan/fixture.h"

/// Whole plans as text. GW_UPDATE_GOLDEN=1 writes them anew; read the difference before you commit it.
namespace gw::plan {
namespace {

void expect_golden(const std::string& name, const Plan& plan) {
  std::string text;
  for (const Operation& operation : plan) text += describe(operation) + "\n";
  if (std::getenv("GW_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file_atomically(golden(name), text, 0644));
  }
  EXPECT_EQ(text, read_file(golden(name)).value_or(""));
}

TEST(Plan, OfAnOfficeWithAVlanARoutedSubnetAndASite) {
  expect_golden("office.plan", diff(desired_of(intent_of("office")), {}));
}

TEST(Plan, OfAGatewayWithOneCard) { expect_golden("one-card.plan", diff(desired_of(intent_of("one-card")), {})); }

TEST(Plan, OfTakingAnOfficeBackToOneCard) {
  expect_golden("office-to-one-card.plan", diff(desired_of(intent_of("one-card")), desired_of(intent_of("office"))));
}

TEST(Plan, OfAClientThatLeavesAndOneThatJoins) {
  const Intent before = intent_of("office");
  Intent after = before;
  after.clients.erase(2);
  after.clients[3] = client(3, "carol", {});
  policy::Interner interner;
  const Desired observed = compile(before, interner).value();
  expect_golden("join-and-leave.plan", diff(compile(after, interner).value(), observed));
}

TEST(Plan, IsEmptyForTheSameIntentWhateverTheInternerHoldsAlready) {
  policy::Interner interner;
  const Desired first = compile(intent_of("office"), interner).value();
  ASSERT_TRUE(compile(intent_of("one-card"), interner));
  EXPECT_TRUE(diff(compile(intent_of("office"), interner).value(), first).empty());
}

}  // namespace
}  // namespace gw::plan
