// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/netns/apply/stage.h"

/// Subnets on VLANs, which need the kernel's 8021q, under the contract's own words: converge, again, repair, remove.
namespace gw::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

plan::Intent with_vlan() {
  plan::Intent intent = contract_intent();
  config::Subnet data;
  data.prefixes = {*Prefix::parse("10.1.2.0/24")};
  data.interface = "eth1";
  data.vlan = 20;
  data.address = {*IpAddress::parse("10.1.2.1")};
  intent.config.subnets["data"] = data;
  return intent;
}

class VlanTest : public testing::Test {
 protected:
  static void expect_clean(const apply::Report& report) {
    for (const Error& error : report.errors) ADD_FAILURE() << error.message();
    EXPECT_THAT(report.leftover, IsEmpty());
  }

  LinuxStage stage_;
  apply::Reconciler reconciler_ =
      apply::Reconciler::open(stage_.kernel(), SecretKey::parse(kContractKey).value(), stage_.run_directory()).value();
};

TEST_F(VlanTest, IsMadeRepairedAndTakenAway) {
  reconciler_.set_intent(with_vlan());
  expect_clean(reconciler_.converge());
  EXPECT_THAT(reconciler_.converge().done, IsEmpty());
  EXPECT_THAT(must("ip -d link show eth1.20"), HasSubstr("vlan protocol 802.1Q id 20"));
  EXPECT_EQ(stage_.kernel().wireguard_implementation(), "kernel");

  must("ip link del eth1.20");
  const auto repaired = reconciler_.converge();
  expect_clean(repaired);
  EXPECT_THAT(repaired.repairs, Contains("+ link eth1.20 (VLAN 20 of eth1)"));
  EXPECT_THAT(repaired.repairs, Contains("+ program policy ingress on eth1.20"));

  reconciler_.set_intent(contract_intent());
  const auto removed = reconciler_.converge();
  expect_clean(removed);
  EXPECT_THAT(removed.done, Contains("- link eth1.20"));
  EXPECT_THAT(reconciler_.converge().done, IsEmpty());
}

TEST_F(VlanTest, OfSomeoneElseIsNotTouched) {
  must("ip link add link eth1 name eth1.20 type vlan id 20");
  const std::string before = must("ip -d link show eth1.20");
  reconciler_.set_intent(with_vlan());
  const auto report = reconciler_.converge();
  ASSERT_THAT(report.errors, testing::SizeIs(1));
  EXPECT_THAT(report.errors[0].message(), HasSubstr("gatewayd did not make"));
  EXPECT_EQ(must("ip -d link show eth1.20"), before);
}

}  // namespace
}  // namespace gw::test
