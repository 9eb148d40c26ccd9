// SPDX-License-Identifier: Apache-2.0
// Floods against flows that are open and idle, in the real maps at their real sizes: who is still there is counted.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

constexpr Entry kVpn{.hook = bpf::Hook::vpn_ingress, .device = Device::vpn};
constexpr Entry kWebIn{.hook = bpf::Hook::subnet_ingress, .device = Device::web};
constexpr uint32_t kIdle = 1000;

Packet connection(uint32_t number) {
  return ipv4(kAliceV4, kWebV4) / tcp(22).from(static_cast<uint16_t>(1000 + number));
}
Packet question(uint32_t number) { return ipv4(kAliceV4, kWebV4) / udp(53).from(static_cast<uint16_t>(1000 + number)); }

/// The `number`-th of a flood: an address of web and a source port that nobody else has.
Packet flood(uint32_t number, const Transport& transport) {
  IpHeader ip = ipv4(kAliceV4, "10.1.1.0");
  ip.destination.bytes[3] = static_cast<uint8_t>(100 + number / 50000);
  return ip / transport.from(static_cast<uint16_t>(10000 + number % 50000));
}

class Pressure : public testing::Test {
 protected:
  void SetUp() override {
    policy_->edit_state([](gw_state& state) { state.flow_rate = 0; });
    for (uint32_t i = 0; i < kIdle; ++i) {
      open(connection(i));
      open(question(i));
    }
    ASSERT_EQ(connections(), kIdle);
    ASSERT_EQ(questions(), kIdle);
  }

  void open(const Packet& packet) {
    ASSERT_EQ(policy_->run_fast(packet.layer3(), kVpn), kAllowed);
    ASSERT_EQ(policy_->run_fast(packet.reply().ethernet(), kWebIn), kAllowed);
  }

  /// How many of the idle ones an answer still comes through for; only the other side speaks, which no rule allows.
  uint32_t connections() {
    return answered([](uint32_t i) { return connection(i).reply(kAck); });
  }
  uint32_t questions() {
    return answered([](uint32_t i) { return question(i).reply(); });
  }

  template <class Make>
  uint32_t answered(Make make) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < kIdle; ++i) out += policy_->run_fast(make(i).ethernet(), kWebIn).passed ? 1 : 0;
    return out;
  }

  LoadedPolicy* policy_ = LoadedPolicy::standard();
};

TEST_F(Pressure, OfUnansweredFlowsEvictsNothingThatWasAnswered) {
  for (uint32_t i = 0; i < 3 * GW_MAX_NEW_FLOWS; ++i)
    policy_->run_fast(flood(i, i % 2 == 0 ? udp(53) : tcp(443)).layer3(), kVpn);
  EXPECT_EQ(connections(), kIdle);
  EXPECT_EQ(questions(), kIdle);
}

TEST_F(Pressure, OfAnsweredQuestionsEvictsNoConnection) {
  for (uint32_t i = 0; i < 3 * GW_MAX_ANSWERED; ++i) open(flood(i, udp(53)));
  EXPECT_EQ(connections(), kIdle);
}

TEST_F(Pressure, OfRefusedConnectionsEvictsNoOpenOne) {
  for (uint32_t i = 0; i < GW_MAX_FLOWS * 5 / 4; ++i) {
    const Packet scan = flood(i, tcp(443));
    policy_->run_fast(scan.layer3(), kVpn);
    policy_->run_fast(scan.reply(kRst | kAck).ethernet(), kWebIn);
  }
  EXPECT_EQ(connections(), kIdle);
  EXPECT_EQ(questions(), kIdle);
}

TEST_F(Pressure, OfShortConnectionsEvictsNoOpenOne) {
  for (uint32_t i = 0; i < GW_MAX_FLOWS * 5 / 4; ++i) {
    const Packet connect = flood(i, tcp(443));
    open(connect);
    policy_->run_fast(connect.with(kRst | kAck).layer3(), kVpn);
  }
  EXPECT_EQ(connections(), kIdle);
  EXPECT_EQ(questions(), kIdle);
}

TEST_F(Pressure, OfAnyKindHoldsUpNoFlowThatIsSeenOneWayFromTheSideThatMaySend) {
  const Packet stream = ipv4(kAliceV4, kWebV4) / udp(53).from(999);
  ASSERT_EQ(policy_->vpn(stream), kAllowed);
  for (uint32_t i = 0; i < 2 * GW_MAX_NEW_FLOWS; ++i) policy_->run_fast(flood(i, udp(53)).layer3(), kVpn);
  EXPECT_EQ(policy_->vpn(stream), kAllowed);
}

TEST_F(Pressure, LeavesMostActiveUnansweredFlowsInTheTable) {
  constexpr uint32_t kActive = 100;
  const auto active = [](uint32_t i) { return ipv4(kAliceV4, kWebV4) / icmp(8, 0, static_cast<uint16_t>(i)); };
  for (uint32_t i = 0; i < kActive; ++i) policy_->run_fast(active(i).layer3(), kVpn);
  for (uint32_t i = 0; i < 2 * GW_MAX_NEW_FLOWS; ++i) {
    policy_->run_fast(flood(i, udp(53)).layer3(), kVpn);
    if (i % 100 == 0) policy_->run_fast(active(i / 100 % kActive).layer3(), kVpn);
  }
  uint32_t survivors = 0;
  for (uint32_t i = 0; i < kActive; ++i)
    survivors += policy_->run_fast(active(i).reply().ethernet(), kWebIn).passed ? 1 : 0;
  std::cout << survivors << " of " << kActive << " survive\n";
  EXPECT_GE(survivors, kActive * 9 / 10);
}

}  // namespace
}  // namespace gw::test
