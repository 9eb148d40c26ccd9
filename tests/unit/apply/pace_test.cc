// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/pace.h"

#include <gtest/gtest.h>

namespace gw::apply {
namespace {

using namespace std::chrono_literals;
constexpr Pace::Time kStart = 1000s;

TEST(Pace, WaitsForTheFirstChange) { EXPECT_EQ(Pace().next_run_at(), std::nullopt); }

TEST(Pace, RunsWhenABurstHasBeenQuietForAMoment) {
  Pace pace;
  pace.changed(kStart);
  pace.changed(kStart + 20ms);
  EXPECT_EQ(pace.next_run_at(), kStart + 20ms + Pace::kQuiet);
}

TEST(Pace, RunsDuringABurstThatDoesNotEnd) {
  Pace pace;
  for (auto now = kStart; now < kStart + 10s; now += 10ms) pace.changed(now);
  EXPECT_EQ(pace.next_run_at(), kStart + Pace::kLongestBurst);
}

TEST(Pace, RetriesEverMoreSlowlyUpToAMinute) {
  Pace pace;
  std::vector<Pace::Time> waits;
  for (int i = 0; i < 9; ++i) {
    pace.finished(kStart, false);
    waits.push_back(*pace.next_run_at() - kStart);
  }
  EXPECT_EQ(waits, (std::vector<Pace::Time>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}));
}

TEST(Pace, RetriesQuicklyAgainAfterASuccess) {
  Pace pace;
  pace.finished(kStart, false);
  pace.finished(kStart, false);
  pace.finished(kStart, true);
  pace.finished(kStart, false);
  EXPECT_EQ(pace.next_run_at(), kStart + Pace::kFirstRetry);
}

TEST(Pace, LooksOnceInAWhileAtAKernelThatSaysNothing) {
  Pace pace;
  pace.changed(kStart);
  pace.finished(kStart, true);
  EXPECT_EQ(pace.next_run_at(), kStart + Pace::kAudit);
}

TEST(Pace, TakesAChangeBeforeItsRetry) {
  Pace pace;
  for (int i = 0; i < 6; ++i) pace.finished(kStart, false);
  pace.changed(kStart + 1s);
  EXPECT_EQ(pace.next_run_at(), kStart + 1s + Pace::kQuiet);
}

TEST(Pace, SpendsNoMoreThanATenthOfTheTimeOnChangesWithoutEnd) {
  Pace pace;
  pace.started(kStart);
  pace.finished(kStart + 200ms, true);
  pace.changed(kStart + 201ms);
  EXPECT_EQ(pace.next_run_at(), kStart + 2000ms);
  pace.started(kStart + 2000ms);
  pace.finished(kStart + 2001ms, true);
  pace.changed(kStart + 2002ms);
  EXPECT_EQ(pace.next_run_at(), kStart + 2002ms + Pace::kQuiet);
}

TEST(Pace, DoesNotPutARetryOffForABurst) {
  Pace pace;
  pace.finished(kStart, false);
  pace.changed(kStart + Pace::kFirstRetry - 1ms);
  EXPECT_EQ(pace.next_run_at(), kStart + Pace::kFirstRetry);
}

}  // namespace
}  // namespace gw::apply
