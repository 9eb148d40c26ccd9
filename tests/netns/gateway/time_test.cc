// SPDX-License-Identifier: Apache-2.0
// Access ends with the certificate, in the programs, whether or not gatewayd lives. What a clock that is set does is
// shown where it can be set: tests/vm/gateway.
#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "bpf/abi.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
const std::string kState = fmt::format("/run/bpf/gateway/abi-{}/gw_state", GW_ABI_VERSION);
constexpr size_t kOffsetAt = offsetof(gw_state, wall_offset_ns);
constexpr int64_t kNs = 1'000'000'000;

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNs + now.tv_nsec;
}

/// Rewrites gw_state.wall_offset_ns, as only gatewayd does otherwise.
void set_wall_offset(const Host& gateway, int64_t offset) {
  const auto shown = nlohmann::json::parse(gateway.must("bpftool -j map lookup pinned " + kState + " key 0 0 0 0"));
  std::array<uint8_t, 8> bytes{};
  std::memcpy(bytes.data(), &offset, sizeof offset);
  std::string command = "bpftool map update pinned " + kState + " key 0 0 0 0 value hex";
  const auto& value = shown.at("value");
  for (size_t i = 0; i < value.size(); ++i)
    command += i >= kOffsetAt && i < kOffsetAt + bytes.size() ? fmt::format(" {:02x}", bytes.at(i - kOffsetAt))
                                                              : " " + value[i].get<std::string>().substr(2);
  gateway.must(command);
}

class Time : public RunningGateway {};

TEST_F(Time, AccessEndsInTheProgramsWithGatewaydKilled) {
  rules("  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80, icmp]}\n");
  const auto shown = nlohmann::json::parse(lab().must_gwctl("client show alice --json"));
  const int64_t end = shown.at("not_after").get<int64_t>() + 1;
  const Socket listener = listen_tcp(lab().web(), kWeb4, 80);
  const Socket client = connect_tcp(alice(), kWeb4, 80);
  const Socket server = listener.accept();
  ASSERT_TRUE(client.send("up"));
  ASSERT_EQ(server.receive(), "up");

  lab().crash();
  const int64_t stop = monotonic_ns() + 2 * kNs;
  set_wall_offset(lab().gateway(), end * kNs - stop);
  ASSERT_TRUE(client.send("in time"));
  ASSERT_EQ(server.receive(), "in time");
  ASSERT_LT(monotonic_ns(), stop) << "the machine was too slow for this test";
  // Every 50 ms one word, until one does not arrive: that is the end, and it is not before its time.
  int64_t last = 0;
  while (client.send("x") && server.receive(std::chrono::milliseconds(100)) && monotonic_ns() < stop + 5 * kNs)
    last = monotonic_ns();
  EXPECT_LT(last, stop + kNs / 5);
  EXPECT_GT(last, stop - kNs / 2);
  EXPECT_FALSE(connect_tcp(alice(), kWeb4, 80, kSilence).valid());
  EXPECT_EQ(try_ping(alice(), "172.16.201.1", kSilence), Reach::silent);  // the gateway itself
  ASSERT_TRUE(server.send("down"));                                       // and into the tunnel
  EXPECT_EQ(client.receive(kSilence), std::nullopt);
  lab().start();  // which knows the time better
  EXPECT_EQ(try_ping(alice(), kWeb4), Reach::open);
}

}  // namespace
}  // namespace gw::test
