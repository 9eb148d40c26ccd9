// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

/// Two policies that agree on one port only: each allows its own under its own rule and gives everyone another class,
/// so that classes of one with tables of the other allow what neither does.
struct Side {
  uint16_t port;
  uint32_t alice, web;
};
constexpr Side kEven{1000, 101, 102};
constexpr Side kOdd{2000, 201, 202};
constexpr uint16_t kNeither = 3000;
constexpr uint16_t kBoth = 4000;
constexpr uint32_t kClients = 8000;

IpAddress client(uint32_t n) {
  return {Family::v4, {172, 16, static_cast<uint8_t>(n / 250), static_cast<uint8_t>(n % 250)}};
}

bpf::PolicyImage image_of(const Side& side, const Side& other) {
  ImageBuilder out;
  out.prefix("172.16.0.0/16", GW_CLASS_NONE, kVpnLink, GW_PREFIX_VPN).prefix("10.1.1.0/24", side.web, kWebLink);
  out.rule(side.alice, side.web, GW_KIND_UDP, side.port, allow(side.port));
  out.rule(side.alice, side.web, GW_KIND_UDP, kBoth, allow(kBoth));
  out.rule(side.alice, other.web, GW_KIND_UDP, kNeither, allow(kNeither));
  out.rule(other.alice, side.web, GW_KIND_UDP, kNeither, allow(kNeither));
  return out.build(std::to_string(side.port));
}

bpf::Hosts hosts_of(const Side& side) {
  bpf::Hosts out;
  for (uint32_t n = 0; n < kClients; ++n) out[client(n)] = {side.alice, n + 1, GW_HOST_CLIENT};
  out[IpAddress::parse(kAliceV4).value()] = {side.alice, kClients + 1, GW_HOST_CLIENT};
  return out;
}

struct Seen {
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> even = 0, odd = 0;  ///< passed to the port of one policy
  std::atomic<uint64_t> mixed = 0;          ///< passed to the port that only a mixture would allow
  std::atomic<uint64_t> cut = 0;            ///< dropped to the port that both allow
};

/// Opens flows from all clients until told to stop.
void send(const LoadedPolicy& policy, Seen& seen) {
  for (uint32_t n = 0; !seen.stop; ++n) {
    const IpHeader ip{client(n % kClients), IpAddress::parse(kWebV4).value()};
    const auto passed = [&](uint16_t port) {
      const auto source = static_cast<uint16_t>(n / kClients);
      return policy.run_fast((ip / udp(port).from(source)).layer3(), {}).passed ? 1U : 0U;
    };
    seen.even += passed(kEven.port);
    seen.odd += passed(kOdd.port);
    seen.mixed += passed(kNeither);
    seen.cut += 1U - passed(kBoth);
  }
}

TEST(Swap, PacketsMeetTheOldPolicyOrTheNewNeverAMixture) {
  auto* const policy = LoadedPolicy::standard();
  policy->edit_state([](gw_state& state) { state.flow_rate = 0; });
  policy->install(image_of(kEven, kOdd), hosts_of(kEven));
  Seen seen;
  std::thread one([&] { send(*policy, seen); });
  std::thread two([&] { send(*policy, seen); });
  for (int i = 0; i < 16 || seen.even == 0 || seen.odd == 0; ++i) {
    const bool to_odd = i % 2 == 0;
    policy->install(to_odd ? image_of(kOdd, kEven) : image_of(kEven, kOdd), hosts_of(to_odd ? kOdd : kEven));
  }
  seen.stop = true;
  one.join();
  two.join();
  EXPECT_EQ(seen.mixed, 0U);
  EXPECT_EQ(seen.cut, 0U) << "what both allow is never interrupted";
  EXPECT_GT(seen.even, 100U);
  EXPECT_GT(seen.odd, 100U);
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
