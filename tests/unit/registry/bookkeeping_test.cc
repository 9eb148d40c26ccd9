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
  static void raise(Registry& registry, UnixSeconds to, bool at_once = false) {
    const auto raised = registry.raise_time_floor(to, at_once);
    ASSERT_TRUE(raised) << raised.error().message();
  }
};

TEST_F(BookkeepingTest, TheFloorOfTimeNeverSinksAlsoOverARestart) {
  {
    Registry registry = open();
    EXPECT_EQ(registry.time_floor(), 0);
    raise(registry, kNow);
    raise(registry, kNow - 1000);
    EXPECT_EQ(registry.time_floor(), kNow);
    raise(registry, kNow + 600);
  }
  EXPECT_EQ(open().time_floor(), kNow + 600);
}

TEST_F(BookkeepingTest, TheFloorOfTimeIsWrittenOnceInTenMinutesUnlessItMatters) {
  Registry registry = open();
  raise(registry, kNow);
  const auto written = std::filesystem::file_size(path() + "-wal");
  for (UnixSeconds at = 1; at < 600; ++at) raise(registry, kNow + at);
  EXPECT_EQ(std::filesystem::file_size(path() + "-wal"), written);
  raise(registry, kNow + 1, true);
  EXPECT_GT(std::filesystem::file_size(path() + "-wal"), written);
  EXPECT_EQ(registry.time_floor(), kNow + 1);
}

TEST_F(BookkeepingTest, TheFloorOfTimeIsLoweredByResettingItAloneAndTheAuditTrailTells) {
  {
    Registry registry = open();
    raise(registry, kNow + 1'000'000'000);
    ASSERT_TRUE(registry.reset_time_floor(kNow, "uid 0"));
    const auto audit = value_of(registry.audit(1));
    ASSERT_EQ(audit.size(), 1U);
    EXPECT_EQ(audit[0].who, "uid 0");
    EXPECT_NE(audit[0].what.find("time reset"), std::string::npos);
  }
  EXPECT_EQ(open().time_floor(), kNow);
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
