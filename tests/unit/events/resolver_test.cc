// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/resolver.h"

#include <gtest/gtest.h>

#include <map>

namespace gw::events {
namespace {

TEST(Resolver, TellsTheAddressOfANameInsideTheLoop) {
  Loop loop = *Loop::open();
  Source guard = *Source::timer(loop, CLOCK_MONOTONIC, [&] { loop.exit(99); });
  ASSERT_TRUE(guard.set_after(10'000'000));
  std::map<std::string, IpAddress> found;
  auto resolver = Resolver::open(loop, [&](const std::string& name, const IpAddress& address) {
    found[name] = address;
    if (found.size() == 2) loop.exit(0);
  });
  ASSERT_TRUE(resolver);
  resolver->ask("localhost");
  resolver->ask("localhost");
  resolver->ask("192.0.2.7");
  EXPECT_EQ(loop.run().value_or(-1), 0);
  EXPECT_TRUE(found["localhost"] == *IpAddress::parse("127.0.0.1") || found["localhost"] == *IpAddress::parse("::1"));
  EXPECT_EQ(found["192.0.2.7"].str(), "192.0.2.7");
}

TEST(Resolver, MayGoBeforeItsAnswerComes) {
  Loop loop = *Loop::open();
  {
    auto resolver = Resolver::open(loop, [](const std::string&, const IpAddress&) { FAIL() << "it has gone"; });
    ASSERT_TRUE(resolver);
    resolver->ask("localhost");
  }
  Source end = *Source::timer(loop, CLOCK_MONOTONIC, [&] { loop.exit(0); });
  ASSERT_TRUE(end.set_after(1000));
  EXPECT_EQ(loop.run().value_or(-1), 0);
}

}  // namespace
}  // namespace gw::events
