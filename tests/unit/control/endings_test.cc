// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/endings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gw::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kEnd = 1'800'000'000;

constexpr UnixSeconds kYear = 365 * kDay;

Ending bob(UnixSeconds at = kEnd) { return {"the certificate of client bob", at, kYear, "gwctl client renew bob"}; }

TEST(Endings, GrowUrgentThirtySevenAndOneDaysBefore) {
  EXPECT_EQ(urgency(30 * kDay + 1, kYear), 0U);
  EXPECT_EQ(urgency(30 * kDay, kYear), 30U);
  EXPECT_EQ(urgency(7 * kDay + 1, kYear), 30U);
  EXPECT_EQ(urgency(7 * kDay, kYear), 7U);
  EXPECT_EQ(urgency(kDay, kYear), 1U);
}

TEST(Endings, OfShortLivesAreUrgentInTheirLastThirdAlone) {
  EXPECT_EQ(urgency(29 * kDay, 30 * kDay), 0U) << "new, and renewed by itself";
  EXPECT_EQ(urgency(8 * kDay, 30 * kDay), 0U);
  EXPECT_EQ(urgency(7 * kDay, 30 * kDay), 7U) << "it was not";
  EXPECT_EQ(urgency(kDay, kDay), 0U);
}

TEST(Endings, SayWhenAndWhatToDo) {
  EXPECT_EQ(sentence(bob(), kEnd - 6 * kDay),
            "the certificate of client bob ends in 6 days (2027-01-15 08:00:00 UTC): gwctl client renew bob");
  EXPECT_EQ(sentence(bob(), kEnd - 5 * 3600).substr(30, 15), "ends in 5 hours");
  EXPECT_EQ(sentence(bob(), kEnd - 90).substr(30, 13), "ends in 1 min");
}

TEST(Endings, OfManyAreTenAndANumber) {
  const auto all = sentences(std::vector<Ending>(1000, bob()), kEnd - kDay);
  ASSERT_EQ(all.size(), 11U);
  EXPECT_EQ(all.back(), "990 more end within 30 days: gwctl cert list");
}

TEST(Endings, AreToldOnceAStage) {
  EndingWatch watch;
  const auto told = [&](UnixSeconds left) { return watch.news({bob()}, kEnd - left).size(); };
  EXPECT_EQ(told(20 * kDay), 1U);
  EXPECT_EQ(told(19 * kDay), 0U);
  EXPECT_EQ(told(6 * kDay), 1U);
  EXPECT_EQ(told(2 * kDay), 0U);
  EXPECT_EQ(told(kDay / 2), 1U);
  EXPECT_EQ(told(60), 0U);
}

TEST(Endings, OfWhatWasRenewedAreToldAgainTheNextTime) {
  EndingWatch watch;
  EXPECT_EQ(watch.news({bob()}, kEnd - kDay).size(), 1U);
  EXPECT_THAT(watch.news({}, kEnd - kDay), IsEmpty());
  EXPECT_EQ(watch.news({bob(kEnd + 365 * kDay)}, kEnd + 340 * kDay).size(), 1U);
}

}  // namespace
}  // namespace gw::control
