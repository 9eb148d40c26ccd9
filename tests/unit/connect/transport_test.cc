// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace gw::connect {
namespace {

using Wish = Transport::Wish;

/// A tunnel that is looked at every `step` seconds; the time at which something other than nothing was wished for, or
/// `until`.
double run(Transport& transport, double from, double until, const std::function<Transport::Sign(double)>& sign,
           Wish* wish = nullptr) {
  constexpr double kStep = 3;
  for (double now = from; now < until; now += kStep) {
    const Wish wished = transport.observe(sign(now), now);
    if (wished == Wish::nothing) continue;
    if (wish != nullptr) *wish = wished;
    return now;
  }
  return until;
}

Transport::Sign nobody(double now) {
  return {.handshake = 0, .rx = 0, .tx = static_cast<uint64_t>(now / 5) * 148, .session = false};
}

TEST(Transport, DialsWhenUdpGetsNoHandshakeForFifteenSeconds) {
  Transport transport;
  const double at = run(transport, 0, 100, nobody);
  EXPECT_GE(at, 15);
  EXPECT_LE(at, 18);
  EXPECT_FALSE(transport.through_tls());
}

TEST(Transport, DialsAtOnceWhenAnotherProxyWasGiven) {
  Transport transport;
  double now = run(transport, 0, 100, nobody);
  for (int i = 0; i < 12; ++i) {
    transport.dialling();
    transport.failed(now);
    now = run(transport, now, now + 1000, nobody);
  }
  transport.dialling();
  transport.failed(now);
  EXPECT_EQ(transport.observe(nobody(now), now + 3), Wish::nothing);
  transport.hurry();
  EXPECT_EQ(transport.observe(nobody(now), now + 6), Wish::dial);
  transport.dialling();
  transport.failed(now + 6);
  EXPECT_EQ(transport.observe(nobody(now), now + 9), Wish::dial) << "and soon again";
}

TEST(Transport, LeavesATunnelThatIsIdleAlone) {
  Transport transport;
  // A keepalive every 25 s, a handshake every 145 s.
  const auto idle = [](double now) {
    const auto rounds = static_cast<int64_t>(now / 145);
    return Transport::Sign{.handshake = 1 + rounds,
                           .rx = static_cast<uint64_t>(rounds) * 92,
                           .tx = static_cast<uint64_t>(now / 25) * 32 + static_cast<uint64_t>(rounds) * 148,
                           .session = true};
  };
  EXPECT_EQ(run(transport, 0, 3600, idle), 3600);
}

TEST(Transport, DialsWithinSecondsWhenDataIsNotAnswered) {
  Transport transport;
  const auto cut = [](double now) {
    const double heard = std::min(now, 60.0);
    return Transport::Sign{.handshake = 1,
                           .rx = static_cast<uint64_t>(heard) * 100,
                           .tx = static_cast<uint64_t>(now) * 100,
                           .session = true};
  };
  const double at = run(transport, 0, 600, cut);
  EXPECT_GE(at, 75);
  EXPECT_LE(at, 82);
}

TEST(Transport, DialsWhenAnIdleTunnelsNextHandshakeFails) {
  Transport transport;
  const auto lost = [](double now) {
    const auto tries = now < 145 ? 0 : static_cast<uint64_t>((now - 145) / 5) + 1;
    return Transport::Sign{
        .handshake = 1, .rx = 92, .tx = static_cast<uint64_t>(now / 25) * 32 + tries * 148, .session = now < 180};
  };
  EXPECT_LE(run(transport, 0, 600, lost), 170);
}

TEST(Transport, TriesAgainWithPatienceThatGrows) {
  Transport transport;
  double now = run(transport, 0, 100, nobody);
  double last = 0;
  for (int i = 0; i < 12; ++i) {
    transport.dialling();
    EXPECT_EQ(transport.observe(nobody(now), now), Wish::nothing);
    transport.failed(now);
    const double next = run(transport, now, now + 1000, nobody);
    EXPECT_GE(next - now, last - 3);
    last = next - now;
    now = next;
  }
  EXPECT_GE(last, 297);
  EXPECT_LE(last, 306);
}

TEST(Transport, HangsUpWhenNothingComesThroughTheStream) {
  Transport transport;
  const double at = run(transport, 0, 100, nobody);
  transport.dialling();
  ASSERT_TRUE(transport.dialled(at));
  EXPECT_TRUE(transport.through_tls());
  Wish wish = Wish::nothing;
  const double end = run(transport, at, at + 600, nobody, &wish);
  EXPECT_EQ(wish, Wish::hang_up);
  EXPECT_GE(end - at, 45);
  EXPECT_LE(end - at, 51);
}

TEST(Transport, WantsNoStreamWhenUdpWasQuicker) {
  Transport transport;
  const double at = run(transport, 0, 100, nobody);
  transport.dialling();
  const Transport::Sign answered{.handshake = 5, .rx = 92, .tx = 148, .session = true};
  EXPECT_EQ(transport.observe(answered, at + 1), Wish::nothing);
  EXPECT_FALSE(transport.dialled(at + 2));
  EXPECT_FALSE(transport.through_tls());
}

TEST(Transport, OpensAStreamThatBrokeAnewAtOnceAndLeavesUdpAloneThatAnswers) {
  Transport transport;
  const double at = run(transport, 0, 100, nobody);
  const Transport::Sign good{.handshake = 5, .rx = 92, .tx = 148, .session = true};
  transport.dialling();
  ASSERT_TRUE(transport.dialled(at));
  EXPECT_EQ(transport.observe(good, at + 1), Wish::nothing);
  transport.ended(false, at + 2);
  EXPECT_LE(run(transport, at + 2, at + 100, [&](double) { return good; }), at + 8);
  transport.dialling();
  ASSERT_TRUE(transport.dialled(at + 8));
  transport.ended(true, at + 9);
  EXPECT_EQ(run(transport, at + 9, at + 100, [&](double) { return good; }), at + 100);
}

}  // namespace
}  // namespace gw::connect
