// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

/// Two policies that agree on nothing: each allows its own port under its own rule and gives everyone another class, so
/// that classes of one with tables of the other allow what neither does.
struct Side {
  uint16_t port;
  uint32_t alice, web;
};
constexpr Side kEven{1000, 101, 102};
constexpr Side kOdd{2000, 201, 202};
constexpr uint16_t kNeither = 3000;

bpf::PolicyImage image_of(const Side& side, const Side& other) {
  ImageBuilder out;
  out.prefix("172.16.201.0/24", GW_CLASS_NONE, kVpnLink, GW_PREFIX_VPN).prefix("10.1.1.0/24", side.web, kWebLink);
  out.rule(side.alice, side.web, GW_KIND_UDP, side.port, allow(side.port));
  out.rule(side.alice, other.web, GW_KIND_UDP, kNeither, allow(kNeither));
  out.rule(other.alice, side.web, GW_KIND_UDP, kNeither, allow(kNeither));
  return out.build(std::to_string(side.port));
}

bpf::Hosts hosts_of(const Side& side) {
  bpf::Hosts out;
  for (uint8_t i = 5; i < 100; ++i) out[{Family::v4, {172, 16, 201, i}}] = {side.alice, i, GW_HOST_CLIENT};
  return out;
}

/// Sends to both ports and to that which only a mixture would allow, until told to stop.
void send(const LoadedPolicy& policy, const std::atomic<bool>& stop, std::atomic<uint64_t>& mixed,
          std::atomic<uint64_t>& even, std::atomic<uint64_t>& odd) {
  uint32_t n = 0;
  while (!stop) {
    const IpHeader ip{{Family::v4, {172, 16, 201, static_cast<uint8_t>(5 + n % 95)}}, {Family::v4, {10, 1, 1, 7}}};
    const auto source = static_cast<uint16_t>(n++ / 95);
    even += policy.run_fast((ip / udp(kEven.port).from(source)).layer3(), {}).passed ? 1 : 0;
    odd += policy.run_fast((ip / udp(kOdd.port).from(source)).layer3(), {}).passed ? 1 : 0;
    mixed += policy.run_fast((ip / udp(kNeither).from(source)).layer3(), {}).passed ? 1 : 0;
  }
}

TEST(Swap, PacketsMeetTheOldPolicyOrTheNewNeverAMixture) {
  auto* const policy = LoadedPolicy::standard();
  policy->edit_state([](gw_state& state) { state.flow_rate = 0; });
  policy->install(image_of(kEven, kOdd), hosts_of(kEven));
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> mixed = 0, even = 0, odd = 0;
  std::thread one([&] { send(*policy, stop, mixed, even, odd); });
  std::thread two([&] { send(*policy, stop, mixed, even, odd); });
  for (int i = 0; i < 40 || (even == 0 || odd == 0); ++i) {
    const bool to_odd = i % 2 == 0;
    policy->install(to_odd ? image_of(kOdd, kEven) : image_of(kEven, kOdd), hosts_of(to_odd ? kOdd : kEven));
  }
  stop = true;
  one.join();
  two.join();
  EXPECT_EQ(mixed, 0U);
  EXPECT_GT(even, 100U);
  EXPECT_GT(odd, 100U);
}

TEST(Swap, AfterInstallReturnsNoPacketMeetsTheOldPolicy) {
  auto* const policy = LoadedPolicy::standard();
  const Packet to_even = ipv4(kAliceV4, kWebV4) / udp(kEven.port);
  const Packet to_odd = ipv4(kAliceV4, kWebV4) / udp(kOdd.port);
  for (int i = 0; i < 4; ++i) {
    policy->install(image_of(kEven, kOdd), hosts_of(kEven));
    EXPECT_EQ(policy->vpn(to_even), kAllowed);
    EXPECT_EQ(policy->vpn(to_odd), dropped(GW_REASON_DEFAULT));
    policy->install(image_of(kOdd, kEven), hosts_of(kOdd));
    EXPECT_EQ(policy->vpn(to_even), dropped(GW_REASON_DEFAULT));
    EXPECT_EQ(policy->vpn(to_odd), kAllowed);
  }
}

}  // namespace
}  // namespace gw::test
