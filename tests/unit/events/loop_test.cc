// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "gatewayd/base/fd.h"
#include "gatewayd/events/clock_watch.h"

namespace gw::events {
namespace {

class LoopTest : public ::testing::Test {
 protected:
  // A test that waits for what never comes ends as a failure.
  void SetUp() override {
    guard_ = *Source::timer(loop_, CLOCK_MONOTONIC, [this] { loop_.exit(99); });
    ASSERT_TRUE(guard_.set_after(10'000'000));
  }

  Loop loop_ = *Loop::open();
  Source guard_;
};

TEST_F(LoopTest, CallsBackWhenADescriptorIsReadable) {
  const UniqueFd fd(eventfd(0, EFD_CLOEXEC));
  uint64_t got = 0;
  const auto source = Source::readable(loop_, fd.get(), [&] {
    EXPECT_EQ(read(fd.get(), &got, sizeof got), static_cast<ssize_t>(sizeof got));
    loop_.exit(3);
  });
  ASSERT_TRUE(source);
  const uint64_t value = 7;
  ASSERT_EQ(write(fd.get(), &value, sizeof value), static_cast<ssize_t>(sizeof value));
  EXPECT_EQ(loop_.run().value_or(-1), 3);
  EXPECT_EQ(got, 7U);
}

TEST_F(LoopTest, CallsBackForASignalInsteadOfDyingOfIt) {
  const auto source = Source::signal(loop_, SIGHUP, [&] { loop_.exit(4); });
  ASSERT_TRUE(source);
  ASSERT_EQ(raise(SIGHUP), 0);
  EXPECT_EQ(loop_.run().value_or(-1), 4);
}

TEST_F(LoopTest, KeepsTimersInOrderAndCallsEachOncePerSetting) {
  std::vector<int> order;
  Result<Source> late;
  late = Source::timer(loop_, CLOCK_MONOTONIC, [&] {
    order.push_back(2);
    if (order.size() == 3) return loop_.exit(0);
    EXPECT_TRUE(late->set_after(1));
  });
  auto early = Source::timer(loop_, CLOCK_MONOTONIC, [&] { order.push_back(1); });
  ASSERT_TRUE(late && early);
  ASSERT_TRUE(late->set_after(20'000));
  ASSERT_TRUE(early->set_after(1000));
  EXPECT_EQ(loop_.run().value_or(-1), 0);
  EXPECT_EQ(order, (std::vector{1, 2, 2}));
}

TEST_F(LoopTest, TreatsATimeInThePastAsNow) {
  auto timer = Source::timer(loop_, CLOCK_REALTIME, [&] { loop_.exit(5); });
  ASSERT_TRUE(timer);
  ASSERT_TRUE(timer->set_at(1));
  EXPECT_EQ(loop_.run().value_or(-1), 5);
}

TEST_F(LoopTest, ForgetsAStoppedTimer) {
  bool called = false;
  auto stopped = Source::timer(loop_, CLOCK_MONOTONIC, [&] { called = true; });
  auto end = Source::timer(loop_, CLOCK_MONOTONIC, [&] { loop_.exit(0); });
  ASSERT_TRUE(stopped && end);
  ASSERT_TRUE(stopped->set_after(1));
  ASSERT_TRUE(end->set_after(2000));
  stopped->stop();
  EXPECT_EQ(loop_.run().value_or(-1), 0);
  EXPECT_FALSE(called);
}

TEST_F(LoopTest, WatchesTheClockWithoutMistakingItsGoingOnForASetting) {
  bool called = false;
  const auto watch = ClockWatch::open(loop_, [&] { called = true; });
  ASSERT_TRUE(watch);
  auto end = Source::timer(loop_, CLOCK_MONOTONIC, [&] { loop_.exit(0); });
  ASSERT_TRUE(end);
  ASSERT_TRUE(end->set_after(2000));
  EXPECT_EQ(loop_.run().value_or(-1), 0);
  EXPECT_FALSE(called);
}

TEST_F(LoopTest, NoticesThatTheClockWasSet) {
  const auto watch = ClockWatch::open(loop_, [&] { loop_.exit(6); });
  ASSERT_TRUE(watch);
  // Setting the clock to what it shows is enough for the kernel to tell, and disturbs nobody.
  timespec now{};
  ASSERT_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
  ASSERT_EQ(clock_settime(CLOCK_REALTIME, &now), 0) << "this test has to run as root";
  EXPECT_EQ(loop_.run().value_or(-1), 6);
}

}  // namespace
}  // namespace gw::events
