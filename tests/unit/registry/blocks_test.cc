// SPDX-License-Identifier: Apache-2.0
// The deny list in the registry.
#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BlocksTest : public testing::Test {
 protected:
  [[nodiscard]] Registry open() const { return value_of(Registry::open(directory_.path() + "/registry.db")); }
  static Block block(const char* prefix, UnixSeconds until = 0, const char* comment = "") {
    return {.prefix = *Prefix::parse(prefix), .until = until, .comment = comment, .who = "uid 0", .created = kNow};
  }
  gw::test::TempDir directory_;
};

TEST_F(BlocksTest, SurviveARestartInOrder) {
  const Block narrow = block("198.51.100.7", kNow + 60, "scans");
  const Block wide = block("198.51.100.0/24");
  const Block v6 = block("2001:db8::/32", kNow + 1);
  {
    Registry registry = open();
    for (const Block& each : {v6, narrow, wide}) require(registry.put_block(each, kNow));
  }
  EXPECT_THAT(value_of(open().blocks()), ElementsAre(wide, narrow, v6));
}

TEST_F(BlocksTest, PutAgainTakeAnotherEnd) {
  Registry registry = open();
  require(registry.put_block(block("198.51.100.0/24", kNow + 60), kNow));
  const Block longer = block("198.51.100.0/24", kNow + 600, "still");
  require(registry.put_block(longer, kNow));
  EXPECT_THAT(value_of(registry.blocks()), ElementsAre(longer));
}

TEST_F(BlocksTest, AreRemovedOnce) {
  Registry registry = open();
  require(registry.put_block(block("198.51.100.0/24"), kNow));
  EXPECT_EQ(code_of(registry.remove_block(*Prefix::parse("198.51.100.0/25"), "uid 0", kNow)), ENOENT);
  require(registry.remove_block(*Prefix::parse("198.51.100.0/24"), "uid 0", kNow));
  EXPECT_THAT(value_of(registry.blocks()), IsEmpty());
  EXPECT_EQ(code_of(registry.remove_block(*Prefix::parse("198.51.100.0/24"), "uid 0", kNow)), ENOENT);
}

TEST_F(BlocksTest, VanishWhenTheyHaveEnded) {
  Registry registry = open();
  const Block lasting = block("198.51.100.1");
  const Block later = block("198.51.100.2", kNow + 1);
  for (const Block& each : {lasting, later, block("198.51.100.3", kNow)}) require(registry.put_block(each, kNow));
  require(registry.remove_ended_blocks(kNow));
  EXPECT_THAT(value_of(registry.blocks()), ElementsAre(lasting, later));
}

TEST_F(BlocksTest, AreInTheAuditTrailWithWhoDidIt) {
  Registry registry = open();
  require(registry.put_block(block("198.51.100.0/24"), kNow));
  require(registry.remove_block(*Prefix::parse("198.51.100.0/24"), "user alice", kNow + 5));
  const auto audit = value_of(registry.audit(2));
  ASSERT_EQ(audit.size(), 2U);
  EXPECT_EQ(audit[0].what, "block remove 198.51.100.0/24");
  EXPECT_EQ(audit[0].who, "user alice");
  EXPECT_EQ(audit[1].what, "block add 198.51.100.0/24");
}

}  // namespace
}  // namespace gw::registry
