// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/time_keeper.h"

#include <cerrno>

#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::HasSubstr;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kYear = 365 * kDay;

/// A machine with a clock that can be set, and that can be booted.
class TimeKeeperTest : public ::testing::Test {
 protected:
  TimeKeeperTest() { start(); }
  /// The daemon starts; the machine has run on.
  void start() {
    keeper_.reset();
    registry_.reset();
    registry_ = value_of(registry::Registry::open(directory_ / "registry.db"));
    keeper_.emplace(*registry_, directory_ / "", sources());
  }
  control::TimeKeeper::Sources sources() {
    return {clock_, [this] { return running_; }, [this] { return synchronised_; }, trusted_};
  }
  /// Power off and on: nothing is left but the registry.
  void boot(UnixSeconds wall) {
    std::filesystem::remove(directory_ / "time-floor");
    running_ = 5;
    clock_.at = wall;
    synchronised_ = false;
    start();
  }
  void pass(UnixSeconds seconds) {
    clock_.at += seconds;
    running_ += seconds;
  }
  /// As settimeofday(2) does it: the kernel takes the clock for unsynchronised from then on.
  void set_clock(UnixSeconds wall) {
    clock_.at = wall;
    synchronised_ = false;
  }
  UnixSeconds now() { return keeper_->now(); }

  TempDir directory_{"/dev/shm"};
  FakeClock clock_;
  UnixSeconds running_ = 1000;
  bool synchronised_ = true;
  bool trusted_ = false;
  std::optional<registry::Registry> registry_;
  std::optional<control::TimeKeeper> keeper_;
};

TEST_F(TimeKeeperTest, GoesByTheWallClock) {
  EXPECT_EQ(now(), kNow);
  pass(77);
  EXPECT_EQ(now(), kNow + 77);
  EXPECT_EQ(keeper_->ahead(), 0);
  EXPECT_EQ(keeper_->warning(), "");
}

TEST_F(TimeKeeperTest, GoesOnWhereItWasWhenTheClockIsSetBack) {
  EXPECT_EQ(now(), kNow);
  pass(50);  // nobody asks meanwhile
  set_clock(kNow - kYear);
  EXPECT_EQ(now(), kNow + 50);
  pass(100);
  EXPECT_EQ(now(), kNow + 150);
  EXPECT_EQ(keeper_->ahead(), kYear + 50);
  EXPECT_THAT(keeper_->warning(), HasSubstr("not believed"));
}

TEST_F(TimeKeeperTest, GoesOnWhereItWasAlsoOverARestartOfTheDaemonAlone) {
  EXPECT_EQ(now(), kNow);
  pass(300);  // less than what is written to the registry for
  EXPECT_EQ(now(), kNow + 300);
  set_clock(kNow - kYear);
  pass(5000);  // it is dead
  start();
  EXPECT_EQ(now(), kNow + 5300);
}

TEST_F(TimeKeeperTest, DoesNotBelieveABootInThePast) {
  EXPECT_EQ(now(), kNow);
  pass(100);
  keeper_->keep();  // somebody's access ended
  boot(kNow - kYear);
  EXPECT_EQ(now(), kNow + 100);
  pass(7);
  EXPECT_EQ(now(), kNow + 107);
}

TEST_F(TimeKeeperTest, IsNotRuinedByAnUnsynchronisedClockThatIsWildlyAhead) {
  EXPECT_EQ(now(), kNow);
  set_clock(kNow + 20 * kYear);
  EXPECT_EQ(now(), kNow + 20 * kYear) << "fail closed: access ends while the clock is so";
  pass(3600);
  EXPECT_EQ(now(), kNow + 20 * kYear + 3600);
  keeper_->keep();
  set_clock(kNow + 3600);
  EXPECT_EQ(now(), kNow + 3600);
  boot(kNow + 4000);
  EXPECT_EQ(now(), kNow + 4000);
}

TEST_F(TimeKeeperTest, IgnoresTheNoteOfAnotherBoot) {
  ASSERT_TRUE(write_file_atomically(directory_ / "time-floor", "1900000000 0 another-boot\n", 0600));
  start();
  EXPECT_EQ(now(), kNow);
}

TEST_F(TimeKeeperTest, DatesNothingWhileTheClockIsNotSynchronisedUnlessItIsTrusted) {
  synchronised_ = false;
  const auto refused = keeper_->check_may_date("issue a certificate");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EAGAIN);
  EXPECT_THAT(refused.error().message(), HasSubstr("--trust-clock"));
  EXPECT_THAT(keeper_->warning(), HasSubstr("not synchronised"));
  trusted_ = true;
  start();
  EXPECT_TRUE(keeper_->check_may_date("issue a certificate"));
  EXPECT_EQ(keeper_->warning(), "");
}

TEST_F(TimeKeeperTest, WhatATrustedClockHasDatedHasBeen) {
  trusted_ = true;
  synchronised_ = false;
  start();
  keeper_->vouch();
  boot(kNow - kYear);
  EXPECT_EQ(now(), kNow);
}

TEST_F(TimeKeeperTest, DatesNothingByAClockBehindWhatHasBeenUntilItIsReset) {
  clock_.at = kNow + 20 * kYear;  // a lying time server
  EXPECT_EQ(now(), kNow + 20 * kYear);
  clock_.at = kNow;
  EXPECT_EQ(now(), kNow + 20 * kYear);
  EXPECT_THAT(refusal(keeper_->check_may_date("issue a certificate")), HasSubstr("--reset-time"));
  keeper_.reset();
  EXPECT_EQ(value_of(control::reset_time(*registry_, directory_ / "", kNow, "uid 0")), kNow + 20 * kYear);
  start();
  EXPECT_EQ(now(), kNow);
  EXPECT_TRUE(keeper_->check_may_date("issue a certificate"));
}

TEST_F(TimeKeeperTest, TellsOnceThatItCannotWriteItsNote) {
  keeper_.emplace(*registry_, directory_ / "missing", sources());
  EXPECT_EQ(now(), kNow);
  EXPECT_THAT(keeper_->take_complaint(), HasSubstr("time-floor"));
  EXPECT_EQ(keeper_->take_complaint(), "");
}

class GatewayTime : public GatewayTest {};

TEST_F(GatewayTime, TellsTheProgramsHowFarTheirTimeIsAheadOfAClockThatWasSetBack) {
  write(kUsual);
  start();
  ASSERT_TRUE(add("alice", {}, 1));
  EXPECT_EQ(kernel_.clock_ahead, 0);
  synchronised_ = false;
  clock_.at -= 10 * kDay;
  gateway_->clock_was_set();
  EXPECT_EQ(kernel_.clock_ahead, 10 * kDay);
  EXPECT_TRUE(has_peer(last_key_));
  EXPECT_EQ(gateway_->next_tick(), clock_.at + kDay + 1) << "as the wall clock will show it";
  kernel_.clock_ahead = 0;
  restart();
  EXPECT_EQ(kernel_.clock_ahead, 10 * kDay) << "before anything is judged";
}

TEST_F(GatewayTime, IssuesNothingWhileTheClockIsNotSynchronised) {
  synchronised_ = false;
  write(kUsual);
  start();
  EXPECT_FALSE(read_file(directory_ / "state/ca/issuing.crt"));
  EXPECT_THAT(refusal(add("alice")), HasSubstr("not synchronised"));
  synchronised_ = true;
  ASSERT_EQ(refusal(add("alice")), "accepted");
  synchronised_ = false;
  EXPECT_EQ(refusal(gateway_->revoke_client("alice", "keyCompromise", "uid 0")), "accepted")
      << "that waits for nothing";
  EXPECT_TRUE(gateway_->crls_der());
}

}  // namespace
}  // namespace gw::test
