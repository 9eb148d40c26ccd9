// SPDX-License-Identifier: Apache-2.0
#include "ctl/format.h"

#include <gtest/gtest.h>

namespace gw::ctl {
namespace {

TEST(Bytes, GrowTheirUnitAtEveryPowerOf1024) {
  EXPECT_EQ(bytes(0), "0 B");
  EXPECT_EQ(bytes(1023), "1023 B");
  EXPECT_EQ(bytes(1024), "1.0 KiB");
  EXPECT_EQ(bytes(1536), "1.5 KiB");
  EXPECT_EQ(bytes(10 * 1024), "10 KiB");
  EXPECT_EQ(bytes(12'582'912), "12 MiB");
  EXPECT_EQ(bytes(UINT64_MAX), "16 EiB");
}

TEST(Bytes, NeverPrint1024OfAUnit) {
  EXPECT_EQ(bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(bytes(1024ULL * 1024 * 1024 - 1), "1.0 GiB");
}

TEST(Durations, AreToldInTheLargestUnitThatHasAtLeastTwo) {
  EXPECT_EQ(duration(0), "0 s");
  EXPECT_EQ(duration(119), "119 s");
  EXPECT_EQ(duration(120), "2 min");
  EXPECT_EQ(duration(7199), "119 min");
  EXPECT_EQ(duration(7200), "2 h");
  EXPECT_EQ(duration(172'799), "47 h");
  EXPECT_EQ(duration(364 * 86'400), "364 days");
  EXPECT_EQ(duration(7304LL * 86'400), "20 years");
}

TEST(Ages, AreToldFromNowBack) {
  EXPECT_EQ(ago(1000, 0), "never");
  EXPECT_EQ(ago(1000, 1000), "just now");
  EXPECT_EQ(ago(1000, 1005), "just now");  // a clock that was set back
  EXPECT_EQ(ago(1000, 955), "45 s ago");
}

TEST(Ends, AreToldFromNowOnAndAfterThat) {
  EXPECT_EQ(until(1000, 0), "never");
  EXPECT_EQ(until(1000, 1000 + 364 * 86'400), "in 364 days");
  EXPECT_EQ(until(1000, 1000), "in 0 s");
  EXPECT_EQ(until(1000, 880), "ended 2 min ago");
}

TEST(Dates, AreUtcToTheSecond) {
  EXPECT_EQ(date(0), "-");
  EXPECT_EQ(date(1'763'830'124), "2025-11-22 16:48:44 UTC");
}

TEST(Plurals, TakeAnSExceptForOne) {
  EXPECT_EQ(plural(0, "rule"), "0 rules");
  EXPECT_EQ(plural(1, "rule"), "1 rule");
  EXPECT_EQ(plural(2, "rule"), "2 rules");
}

TEST(Printable, TakesAwayWhatCouldRewriteTheTerminal) {
  EXPECT_EQ(printable("a\033[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("Zürich"), "Zürich");
}

}  // namespace
}  // namespace gw::ctl
