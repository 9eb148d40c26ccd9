// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gw::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

registry::Client client(const std::string& name, const std::string& address) {
  registry::Client out;
  out.name = name;
  out.addresses = {*IpAddress::parse(address)};
  return out;
}

bool fits(const std::string& pool, const std::string& address) {
  config::Config wanted;
  wanted.vpn.subnets = {*Prefix::parse(pool)};
  return check_clients(nullptr, wanted, {client("alice", address)}).has_value();
}

TEST(CheckClients, KeepsTheAddressesThatNoClientMayHaveOutOfThePool) {
  EXPECT_TRUE(fits("172.16.201.128/25", "172.16.201.131"));
  EXPECT_FALSE(fits("172.16.201.128/25", "172.16.201.128")) << "the network";
  EXPECT_FALSE(fits("172.16.201.128/25", "172.16.201.129")) << "the gateway";
  EXPECT_FALSE(fits("172.16.201.128/25", "172.16.201.130")) << "its standby";
  EXPECT_TRUE(fits("172.16.201.0/24", "172.16.201.127"));
  EXPECT_FALSE(fits("172.16.201.0/25", "172.16.201.127")) << "the broadcast address";
  EXPECT_TRUE(fits("fd00::/120", "fd00::ff")) << "IPv6 has none";
  EXPECT_FALSE(fits("172.16.201.0/24", "fd00::5")) << "no pool of its family";
}

TEST(CheckClients, NamesEveryClientThatWouldLoseItsAddress) {
  config::Config wanted;
  wanted.vpn.subnets = {*Prefix::parse("172.16.202.0/24")};
  const auto checked = check_clients(nullptr, wanted, {client("alice", "172.16.201.3"), client("bob", "172.16.201.4")});
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().detail, HasSubstr("alice (172.16.201.3) and bob (172.16.201.4)"));
}

TEST(Enumerate, ListsAFewAndCountsTheRest) {
  EXPECT_EQ(enumerate({}), "");
  EXPECT_EQ(enumerate({"a"}), "a");
  EXPECT_EQ(enumerate({"a", "b"}), "a and b");
  EXPECT_EQ(enumerate({"a", "b", "c"}), "a, b and c");
  const std::vector<std::string> many(23, "x");
  EXPECT_THAT(enumerate(many), ::testing::EndsWith("x, x and 3 others"));
}

TEST(MembersOf, AreSortedByName) {
  auto bob = client("bob", "172.16.201.3");
  auto alice = client("alice", "172.16.201.4");
  auto carol = client("carol", "172.16.201.5");
  bob.groups = alice.groups = {"ops"};
  carol.groups = {"opsx"};
  EXPECT_THAT(members_of("ops", {carol, bob, alice}), ElementsAre("alice", "bob"));
}

}  // namespace
}  // namespace gw::control
