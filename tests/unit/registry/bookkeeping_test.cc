// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

class BookkeepingTest : public RegistryTest {
 protected:
  static bool outdated(const Registry& registry, const std::string& name) {
    return value_of(registry.client(name)).profile_outdated;
  }
  static void require_time(Registry& registry, UnixSeconds now) {
    ASSERT_EQ(value_of(registry.observe_time(now)), now);
  }
};

TEST_F(BookkeepingTest, TimeNeverGoesBackAlsoOverARestart) {
  {
    Registry registry = open();
    EXPECT_EQ(value_of(registry.observe_time(kNow)), kNow);
    EXPECT_EQ(value_of(registry.observe_time(kNow - 1000)), kNow);
    EXPECT_EQ(value_of(registry.observe_time(kNow + 1)), kNow + 1);
    EXPECT_EQ(value_of(registry.observe_time(kNow)), kNow + 1);
    EXPECT_EQ(value_of(registry.observe_time(kNow + 60)), kNow + 60);
  }
  Registry registry = open();
  EXPECT_EQ(value_of(registry.observe_time(5)), kNow + 60);
}

TEST_F(BookkeepingTest, TimeIsWrittenOnceAMinuteAtMost) {
  Registry registry = open();
  require_time(registry, kNow);
  const auto written = std::filesystem::file_size(path() + "-wal");
  for (UnixSeconds at = 1; at < 60; ++at) require_time(registry, kNow + at);
  EXPECT_EQ(std::filesystem::file_size(path() + "-wal"), written);
  require_time(registry, kNow + 60);
  EXPECT_GT(std::filesystem::file_size(path() + "-wal"), written);
}

TEST_F(BookkeepingTest, CrlNumbersRiseFromOneOverARestart) {
  {
    Registry registry = open();
    EXPECT_EQ(value_of(registry.next_crl_number()), 1U);
    EXPECT_EQ(value_of(registry.next_crl_number()), 2U);
  }
  Registry registry = open();
  EXPECT_EQ(value_of(registry.next_crl_number()), 3U);
}

TEST_F(BookkeepingTest, AProfileIsOutdatedOnceItsFactsHaveChanged) {
  Registry registry = open();
  require(registry.set_profile_fingerprint("one"));
  add(registry, "alice", 1);
  EXPECT_FALSE(outdated(registry, "alice"));
  require(registry.set_profile_fingerprint("two"));
  EXPECT_TRUE(outdated(registry, "alice"));
  add(registry, "bob", 2);
  EXPECT_FALSE(outdated(registry, "bob"));
  require(registry.set_profile_fingerprint("one"));
  EXPECT_FALSE(outdated(registry, "alice"));
  EXPECT_TRUE(outdated(registry, "bob"));
}

TEST_F(BookkeepingTest, AProfileMadeAnewIsCurrent) {
  Registry registry = open();
  require(registry.set_profile_fingerprint("one"));
  add(registry, "alice", 1);
  add(registry, "bob", 2);
  require(registry.set_profile_fingerprint("two"));
  require(registry.mark_profile_current("alice"));
  require(registry.rekey_client("bob", certificate("bob", 3, key(3)), "uid 0", kNow));
  EXPECT_FALSE(outdated(registry, "alice"));
  EXPECT_FALSE(outdated(registry, "bob"));
  EXPECT_EQ(code_of(registry.mark_profile_current("nobody")), ENOENT);
}

TEST_F(BookkeepingTest, AClientFromBeforeTheFirstFingerprintHasAProfileMadeUnderIt) {
  Registry registry = open();
  add(registry, "alice", 1);
  EXPECT_FALSE(outdated(registry, "alice"));
  require(registry.set_profile_fingerprint("one"));
  EXPECT_FALSE(outdated(registry, "alice"));
  require(registry.set_profile_fingerprint("two"));
  EXPECT_TRUE(outdated(registry, "alice"));
}

TEST_F(BookkeepingTest, AChangeOfTheTunnelOutdatesTheProfileAndOtherChangesDoNot) {
  Registry registry = open();
  require(registry.set_profile_fingerprint("one"));
  Client alice = add(registry, "alice", 1);
  alice.groups = {"x"};
  alice.disabled = true;
  require(registry.update_client(alice, "uid 0", kNow));
  EXPECT_FALSE(outdated(registry, "alice"));
  alice.tunnel = config::Tunnel::full;
  require(registry.update_client(alice, "uid 0", kNow));
  EXPECT_TRUE(outdated(registry, "alice"));
}

}  // namespace
}  // namespace gw::registry
