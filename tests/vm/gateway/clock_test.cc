// SPDX-License-Identifier: Apache-2.0
// The machine's clock is set, forward and back, with gatewayd alive and dead: nobody gets access by it. Only where the
// clock is the test's own to set.
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>

#include "tests/support/lab.h"
#include "tests/support/machine_clock.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr int64_t kDay = 86400;
constexpr const char* kRules = R"(groups: {developers: {}}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
)";

void set_clock(int64_t seconds) {
  const timespec wanted{.tv_sec = seconds, .tv_nsec = 0};
  ASSERT_EQ(clock_settime(CLOCK_REALTIME, &wanted), 0);
}

/// A gateway that trusts only a synchronised clock, and alice, whose certificate lasts a day. Every test begins with
/// all of it made anew and the right time.
class ClockTest : public testing::Test {
 protected:
  ClockTest() : began_(time(nullptr)) {
    mark_synchronised();
    lab_.set_trust_clock(false);
    lab_.configure(kRules);
    lab_.start();
    lab_.enrol("alice", "developers");
    lab_.must_gwctl("client renew alice --days 1");
  }
  ~ClockTest() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << std::endl;
    set_clock(began_);
  }
  bool reaches() { return try_ping(lab_.client("alice"), kWeb4, std::chrono::seconds(3)) == Reach::open; }
  /// Sets it with gatewayd alive, and waits until that has been heard.
  void step(int64_t seconds) {
    const size_t told = lab_.log().size();
    set_clock(seconds);
    ASSERT_TRUE(Lab::eventually([&] { return lab_.log().find("the clock was set", told) != std::string::npos; }));
  }
  std::string status() { return lab_.must_gwctl("status"); }

  int64_t began_;
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(ClockTest, AClockThatIsSetBackIsNotBelievedAndOneThatIsAheadRuinsNothing) {
  ASSERT_TRUE(reaches());
  step(began_ - 10 * kDay);
  EXPECT_TRUE(reaches());
  EXPECT_NE(status().find("not believed"), std::string::npos) << status();
  EXPECT_NE(lab_.gwctl("client renew alice --days 1").err.find("not synchronised"), std::string::npos);
  step(began_ + 3650 * kDay);
  EXPECT_FALSE(reaches());
  step(began_ + 30);
  EXPECT_TRUE(Lab::eventually([&] { return reaches(); }, std::chrono::seconds(40)));
  EXPECT_EQ(status().find("not believed"), std::string::npos) << status();
}

TEST_F(ClockTest, AccessThatHasEndedStaysEndedOverAClockSetBackARestartAndABootInThePast) {
  ASSERT_TRUE(reaches());
  step(began_ + 2 * kDay);
  mark_synchronised();
  ASSERT_TRUE(lab_.gwctl("apply").ok());  // whatever makes it look at the clock
  EXPECT_FALSE(reaches());
  step(began_);
  EXPECT_FALSE(reaches());
  lab_.crash();
  EXPECT_FALSE(reaches());
  lab_.start();
  EXPECT_FALSE(reaches());
  mark_synchronised();
  const Output refused = lab_.gwctl("client renew alice --days 1");
  EXPECT_NE(refused.err.find("--reset-time"), std::string::npos) << refused.err;

  lab_.stop();
  std::filesystem::remove_all(lab_.directory() + "/run");  // as after a boot
  set_clock(1'577'836'800);                                // 2020-01-01
  lab_.start();
  EXPECT_FALSE(reaches());
  EXPECT_NE(status().find("not believed"), std::string::npos) << status();

  lab_.stop();
  set_clock(began_ + 60);
  mark_synchronised();
  Arguments reset = lab_.daemon_command();
  reset.emplace_back("--reset-time");
  const Output done = lab_.gateway().run(reset);
  ASSERT_TRUE(done.ok()) << done.err;
  lab_.start();
  EXPECT_TRUE(Lab::eventually([&] { return reaches(); }, std::chrono::seconds(40)));
  EXPECT_TRUE(lab_.gwctl("client renew alice --days 1").ok());
}

TEST_F(ClockTest, WithGatewaydDeadTheProgramsCountTimeThemselvesAndARestartLosesNoneOfIt) {
  ASSERT_TRUE(reaches());
  lab_.crash();
  set_clock(began_ - 10 * kDay);
  EXPECT_TRUE(reaches());
  set_clock(began_ + 2 * kDay);
  EXPECT_TRUE(reaches());  // a day of the programs' own has not passed
  mark_synchronised();
  lab_.start();
  EXPECT_FALSE(reaches());
}

}  // namespace
}  // namespace gw::test
