// SPDX-License-Identifier: Apache-2.0
// gwctl block, as far as the daemon does it.
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

class BlocksTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(kUsual);
    start();
  }
  Result<void> block(const char* prefix, uint32_t ttl = 0, bool force = false) {
    return gateway_->add_block({.prefix = prefix, .ttl_seconds = ttl, .comment = "a test", .force = force}, "uid 0");
  }
  [[nodiscard]] const std::map<Prefix, uint64_t>& in_kernel() const { return kernel_.state.guard.blocks; }
  static Prefix prefix(const char* text) { return *Prefix::parse(text); }
  static constexpr uint64_t kSecond = 1'000'000'000;
};

TEST_F(BlocksTest, ReachTheKernelAtOnceAndLeaveItAtOnce) {
  ASSERT_TRUE(block("192.0.2.0/24"));
  EXPECT_THAT(in_kernel(), ElementsAre(Pair(prefix("192.0.2.0/24"), UINT64_MAX)));
  ASSERT_TRUE(block("2001:db8:bad::/48", 60));
  EXPECT_THAT(in_kernel(),
              Contains(Pair(prefix("2001:db8:bad::/48"), static_cast<uint64_t>(clock_.at + 60) * kSecond)));
  ASSERT_TRUE(gateway_->remove_block("192.0.2.0/24", "uid 0"));
  EXPECT_THAT(in_kernel(), Not(Contains(Key(prefix("192.0.2.0/24")))));
  EXPECT_EQ(gateway_->remove_block("192.0.2.0/24", "uid 0").error().code, ENOENT);
}

TEST_F(BlocksTest, SurviveARestartOfTheDaemonAndOfTheMachine) {
  ASSERT_TRUE(block("192.0.2.0/24", 3600));
  restart();
  EXPECT_THAT(in_kernel(), Contains(Key(prefix("192.0.2.0/24"))));
  kernel_.state.guard.blocks.clear();
  restart();
  EXPECT_THAT(in_kernel(), Contains(Key(prefix("192.0.2.0/24"))));
}

TEST_F(BlocksTest, VanishWhenTheyHaveEnded) {
  ASSERT_TRUE(block("192.0.2.0/24", 60));
  ASSERT_TRUE(block("192.0.2.0/25", 3600));
  EXPECT_EQ(gateway_->next_tick(), clock_.at + 60);
  clock_.at += 60;
  gateway_->tick();
  EXPECT_THAT(in_kernel(),
              ElementsAre(Pair(prefix("192.0.2.0/25"), static_cast<uint64_t>(clock_.at + 3540) * kSecond)));
  const auto left = value_of(gateway_->blocks());
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].prefix, prefix("192.0.2.0/25"));
}

TEST_F(BlocksTest, DoNotEndBeforeAWiderOne) {
  ASSERT_TRUE(block("192.0.2.0/24"));
  ASSERT_TRUE(block("192.0.2.7", 60));
  EXPECT_THAT(in_kernel(), Contains(Pair(prefix("192.0.2.7"), UINT64_MAX)))
      << "the kernel finds the narrowest one, and nothing but it";
}

TEST_F(BlocksTest, AreMendedWhenSomebodyTakesThemOut) {
  ASSERT_TRUE(block("192.0.2.0/24"));
  kernel_.state.guard.blocks = {{prefix("10.0.0.0/8"), 1}};
  gateway_->converge();
  EXPECT_THAT(in_kernel(), ElementsAre(Pair(prefix("192.0.2.0/24"), UINT64_MAX)));
}

TEST_F(BlocksTest, AreRefusedWhenTheyAreNoneOrTheGatewaysOwn) {
  EXPECT_EQ(block("192.0.2.7/24").error().code, EINVAL) << "host bits";
  EXPECT_EQ(block("nobody").error().code, EINVAL);
  EXPECT_EQ(block("::/0").error().code, EINVAL) << "all IPv4 addresses are in it";
  const auto own = block("0.0.0.0/0");
  ASSERT_FALSE(own);
  EXPECT_THAT(own.error().message(), HasSubstr("own address"));
  EXPECT_THAT(in_kernel(), IsEmpty());
}

TEST_F(BlocksTest, NameTheClientsThatTheyWouldCutOff) {
  ASSERT_TRUE(add("alice"));
  kernel_.peer_states[last_key_] = {.last_handshake = clock_.at, .endpoint = "192.0.2.44:40000"};
  const auto refused = block("192.0.2.0/24");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBUSY);
  EXPECT_THAT(refused.error().message(), HasSubstr("alice"));
  EXPECT_THAT(in_kernel(), IsEmpty());
  EXPECT_TRUE(block("192.0.2.0/24", 0, true));
  EXPECT_THAT(in_kernel(), Contains(Key(prefix("192.0.2.0/24"))));
}

TEST_F(BlocksTest, AreAsManyAsTheKernelHolds) {
  for (uint32_t i = 0; i < GW_MAX_BLOCKS; ++i) {
    const IpAddress address{Family::v4, {100, 64, static_cast<uint8_t>(i >> 8U), static_cast<uint8_t>(i)}};
    ASSERT_TRUE(registry_->put_block(registry::Block{Prefix::host(address), 0, {}, "uid 0", 1}, clock_.at));
  }
  EXPECT_EQ(block("192.0.2.0/24").error().code, ENOSPC);
  EXPECT_TRUE(block("100.64.0.0", 60)) << "it is there already";
}

}  // namespace
}  // namespace gw::test
