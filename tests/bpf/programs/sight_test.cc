// SPDX-License-Identifier: Apache-2.0
// What user space sees of flows and events.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

class Sight : public testing::Test {
 protected:
  static uint64_t total(const std::vector<uint64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  }
  LoadedPolicy& policy_ = *LoadedPolicy::standard();
  bpf::Dataplane& dataplane_ = policy_.dataplane();
};

TEST_F(Sight, PagesThroughAllFlowsOfAllTablesWithEachOnce) {
  constexpr uint16_t kFlows = 300;
  for (uint16_t port = 1; port <= kFlows; ++port) {
    const Packet ask = ipv4(kAliceV4, kWebV4) / udp(53).from(port);
    ASSERT_EQ(policy_.vpn(ask), kAllowed);
    if (port % 3 == 0) {
      ASSERT_EQ(policy_.web(ask.reply()), kAllowed);
    }
  }
  std::set<uint16_t> ports;
  size_t pages = 0;
  size_t replied = 0;
  uint64_t from = 0;
  do {
    const auto page = dataplane_.flows(from, 64);
    ASSERT_TRUE(page) << page.error().message();
    ASSERT_LT(++pages, 50U);
    for (const bpf::Flow& flow : page->flows) {
      EXPECT_TRUE(ports.insert(ntohs(flow.entry.orig.sport)).second) << "seen twice";
      if ((flow.entry.flags & GW_FLOW_REPLIED) != 0) ++replied;
      EXPECT_LT(flow.idle_ns, 60'000'000'000U);
    }
    from = page->next;
  } while (from != 0);
  EXPECT_EQ(ports.size(), kFlows);
  EXPECT_EQ(replied, kFlows / 3);
  EXPECT_GT(pages, 4U);
  EXPECT_EQ(dataplane_.count_flows().value_or(0), kFlows);
}

TEST_F(Sight, RefusesAPlaceThatNoPageGave) { EXPECT_EQ(dataplane_.flows(uint64_t{1} << 40U, 64).error().code, EINVAL); }

TEST_F(Sight, AnErasedFlowIsJudgedAgainFromTheSideThatARuleAllowsAndFromNoOther) {
  const Packet ask = ipv4(kAliceV4, kWebV4) / udp(53);
  const Packet answer = ask.reply();
  ASSERT_EQ(policy_.vpn(ask), kAllowed);
  ASSERT_EQ(policy_.web(answer), kAllowed);
  std::vector<bpf::Flow> flows;
  uint64_t from = 0;
  do {
    const auto page = dataplane_.flows(from, 64);
    ASSERT_TRUE(page) << page.error().message();
    flows.insert(flows.end(), page->flows.begin(), page->flows.end());
    from = page->next;
  } while (from != 0);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(dataplane_.erase_flow(flows[0].key), true);
  EXPECT_EQ(dataplane_.erase_flow(flows[0].key), false);
  EXPECT_EQ(policy_.web(answer), dropped(GW_REASON_DEFAULT));
  EXPECT_EQ(policy_.vpn(ask), kAllowed);
  EXPECT_EQ(policy_.web(answer), kAllowed);
}

TEST_F(Sight, EveryDeniedPacketIsEitherToldOrCounted) {
  constexpr uint64_t kPackets = 1000;  // more than the burst of a CPU
  ASSERT_TRUE(dataplane_.drain([](const gw_event&) {}));
  const auto before = dataplane_.untold();
  ASSERT_TRUE(before) << before.error().message();
  const auto packet = ipv4(kAliceV4, kDataV4) / tcp(22);  // rule 2, which logs
  const auto other = ipv4(kAliceV4, kWebV4) / tcp(23);    // no rule
  for (uint64_t i = 0; i < kPackets; ++i) {
    policy_.vpn(packet);
    policy_.vpn(other);
  }
  std::vector<uint64_t> told(GW_EVENT_CLASSES);
  ASSERT_TRUE(dataplane_.drain([&](const gw_event& event) { ++told[event.rule == 2 ? GW_EVENT_LOG : GW_EVENT_DROP]; }));
  const auto after = dataplane_.untold();
  ASSERT_TRUE(after);
  for (size_t kind = 0; kind < told.size(); ++kind) {
    EXPECT_GT(told[kind], 0U);
    EXPECT_LT(told[kind], kPackets);
    EXPECT_EQ(told[kind] + (*after)[kind] - (*before)[kind], kPackets) << "class " << kind;
  }
}

}  // namespace
}  // namespace gw::test
