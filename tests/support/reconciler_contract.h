// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gatewayd/apply/reconciler.h"
#include "tests/support/contract_scene.h"

/// What a kernel and the reconciler owe each other, for the kernel in memory and the real one alike. A Stage has:
///
///   apply::Kernel& kernel();              the kernel, with devices eth0 (198.51.100.1/24) and eth1, both up
///   void restart();                       a new kernel object on what there is, as a new process has
///   std::string run_directory();          empty at first
///   void by_hand(const Edit&);            what an operator does behind our back
namespace gw::test {

template <class Stage>
class ReconcilerContract : public testing::Test {
 protected:
  apply::Reconciler open() {
    return apply::Reconciler::open(stage_.kernel(), SecretKey::parse(kContractKey).value(), stage_.run_directory())
        .value();
  }
  /// A reconciler whose kernel is as wanted.
  apply::Reconciler converged() {
    apply::Reconciler reconciler = open();
    reconciler.set_intent(contract_intent());
    expect_clean(reconciler.converge());
    return reconciler;
  }
  static void expect_clean(const apply::Report& report) {
    for (const Error& error : report.errors) ADD_FAILURE() << error.message();
    EXPECT_THAT(report.leftover, testing::IsEmpty());
  }
  /// After `edit`, converge() mends it by an operation with this line and leaves nothing.
  void expect_repair(const Edit& edit, const std::string& line) {
    apply::Reconciler reconciler = converged();
    stage_.by_hand(edit);
    const apply::Report report = reconciler.converge();
    expect_clean(report);
    EXPECT_THAT(report.repairs, testing::Contains(testing::StartsWith(line)));
    EXPECT_EQ(reconciler.repairs(), report.repairs.size());
    EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
  }
  void expect_as_wanted(const plan::Intent& intent) {
    apply::Reconciler fresh = open();
    EXPECT_THAT(fresh.preview(intent).value(), testing::IsEmpty());
  }

  Stage stage_;
};

TYPED_TEST_SUITE_P(ReconcilerContract);

TYPED_TEST_P(ReconcilerContract, LeavesAnEmptyDifference) {
  const auto reconciler = this->converged();
  EXPECT_THAT(reconciler.last().repairs, testing::IsEmpty());
  this->expect_as_wanted(*reconciler.intent());
}

TYPED_TEST_P(ReconcilerContract, DoesNothingTheSecondTime) {
  auto reconciler = this->converged();
  const auto generation = this->stage_.kernel().generation().value();
  EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
  EXPECT_EQ(this->stage_.kernel().generation().value(), generation);
}

TYPED_TEST_P(ReconcilerContract, PreviewsWhatItThenDoesAndChangesNothing) {
  apply::Reconciler reconciler = this->open();
  const auto preview = reconciler.preview(contract_intent()).value();
  EXPECT_EQ(reconciler.preview(contract_intent()).value(), preview);
  reconciler.set_intent(contract_intent());
  EXPECT_EQ(reconciler.converge().done, preview);
}

TYPED_TEST_P(ReconcilerContract, ConvergesAfterACrashWithoutTouchingAnything) {
  this->converged();
  const auto generation = this->stage_.kernel().generation().value();
  this->stage_.restart();
  apply::Reconciler next = this->open();
  next.set_intent(contract_intent());
  const auto report = next.converge();
  this->expect_clean(report);
  EXPECT_THAT(report.done, testing::IsEmpty());
  EXPECT_EQ(this->stage_.kernel().generation().value(), generation);
}

TYPED_TEST_P(ReconcilerContract, PutsAnAddressBack) {
  this->expect_repair({.kind = Edit::Kind::delete_address, .device = "eth1", .object = "10.1.1.1/24"},
                      "+ address 10.1.1.1/24 on eth1");
}

TYPED_TEST_P(ReconcilerContract, PutsAnIpv6AddressOfTheTunnelBack) {
  this->expect_repair({.kind = Edit::Kind::delete_address, .device = "gwtest0", .object = "fd6d:706e:6c61::1/64"},
                      "+ address fd6d:706e:6c61::1/64 on gwtest0");
}

TYPED_TEST_P(ReconcilerContract, PutsAPeerBack) {
  this->expect_repair({.kind = Edit::Kind::remove_peer, .device = "gwtest0", .object = kAliceKey}, "+ peer fvWqawMG…");
}

TYPED_TEST_P(ReconcilerContract, AttachesAProgramAgain) {
  this->expect_repair({.kind = Edit::Kind::detach, .device = "eth1"}, "+ program policy ingress on eth1");
}

TYPED_TEST_P(ReconcilerContract, LoadsAFlushedFrameAgain) {
  this->expect_repair({.kind = Edit::Kind::flush_firewall}, "~ firewall frame (nftables)");
}

TYPED_TEST_P(ReconcilerContract, LoadsAnEditedFrameAgain) {
  this->expect_repair({.kind = Edit::Kind::drop_rule}, "~ firewall frame (nftables)");
}

TYPED_TEST_P(ReconcilerContract, SetsASysctlBack) {
  this->expect_repair({.kind = Edit::Kind::set_sysctl, .object = "net.ipv4.ip_forward", .value = "0"},
                      "~ sysctl net.ipv4.ip_forward = 1");
}

TYPED_TEST_P(ReconcilerContract, PutsARouteBack) {
  this->expect_repair({.kind = Edit::Kind::delete_route, .object = "192.168.50.0/24"},
                      "+ route 192.168.50.0/24 on gwtest0");
}

TYPED_TEST_P(ReconcilerContract, BringsTheTunnelUpAgainWithItsRoutes) {
  this->expect_repair({.kind = Edit::Kind::link_down, .device = "gwtest0"}, "~ link gwtest0: up");
}

TYPED_TEST_P(ReconcilerContract, MakesADeletedTunnelAnewWithAllThatBelongsToIt) {
  this->expect_repair({.kind = Edit::Kind::delete_link, .device = "gwtest0"}, "+ link gwtest0 (WireGuard)");
}

TYPED_TEST_P(ReconcilerContract, TakesAwayWhatIsNoLongerWanted) {
  auto reconciler = this->converged();
  plan::Intent smaller = contract_intent();
  smaller.config.subnets.at("web").address.clear();
  smaller.config.subnets.erase("far");
  smaller.config.sites.clear();
  smaller.clients.erase(2);
  reconciler.set_intent(smaller);
  const auto report = reconciler.converge();
  this->expect_clean(report);
  EXPECT_THAT(report.repairs, testing::IsEmpty());
  EXPECT_THAT(report.done,
              testing::IsSupersetOf({"- route 192.168.50.0/24 on gwtest0", "- route 10.1.9.0/24 via 10.1.1.9 on eth1",
                                     "- address 10.1.1.1/24 on eth1"}));
  this->expect_as_wanted(smaller);
}

TYPED_TEST_P(ReconcilerContract, MovesTheTunnelToAnotherNameAndPort) {
  auto reconciler = this->converged();
  plan::Intent renamed = contract_intent();
  renamed.config.vpn.interface = "gwtest1";
  reconciler.set_intent(renamed);
  this->expect_clean(reconciler.converge());
  renamed.config.public_side.listen_port = 51998;
  reconciler.set_intent(renamed);
  this->expect_clean(reconciler.converge());
  this->expect_as_wanted(renamed);
}

TYPED_TEST_P(ReconcilerContract, ReplacesAnAddressOfTheSameBlock) {
  auto reconciler = this->converged();
  plan::Intent changed = contract_intent();
  changed.config.subnets.at("web").address = {*IpAddress::parse("10.1.1.2")};
  reconciler.set_intent(changed);
  this->expect_clean(reconciler.converge());
  this->expect_as_wanted(changed);
}

TYPED_TEST_P(ReconcilerContract, AddsAClientWithoutReadingTheKernel) {
  auto reconciler = this->converged();
  const auto carol = contract_client(3, "carol", kCarolKey, {"staff"});
  const auto report = reconciler.put_client(carol);
  this->expect_clean(report);
  EXPECT_THAT(report.done, testing::ElementsAre("~ policy: host 172.16.201.6 (client 3)",
                                                "~ policy: host fd6d:706e:6c61::6 (client 3)",
                                                testing::StartsWith("+ peer ZGURwC+Q…")));
  EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
  EXPECT_TRUE(reconciler.intent()->clients.contains(3));
}

TYPED_TEST_P(ReconcilerContract, AddsAClientOfAnUnknownCombinationOfGroupsByConverging) {
  auto reconciler = this->converged();
  const auto carol = contract_client(3, "carol", kCarolKey, {"developers", "staff"});
  this->expect_clean(reconciler.put_client(carol));
  this->expect_as_wanted(*reconciler.intent());
}

TYPED_TEST_P(ReconcilerContract, RevokesInTheOrderHostsGenerationPeer) {
  auto reconciler = this->converged();
  const auto generation = this->stage_.kernel().generation().value();
  const auto report = reconciler.remove_client(1);
  this->expect_clean(report);
  EXPECT_THAT(report.done, testing::ElementsAre("- policy: host 172.16.201.4", "- policy: host fd6d:706e:6c61::4",
                                                "~ policy: generation (open flows are judged again)",
                                                "- peer fvWqawMG… on gwtest0"));
  EXPECT_GT(this->stage_.kernel().generation().value(), generation);
  EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
  EXPECT_FALSE(reconciler.intent()->clients.contains(1));
}

TYPED_TEST_P(ReconcilerContract, MovesAClientToAnotherGroupKeyAndAddress) {
  auto reconciler = this->converged();
  auto alice = contract_client(1, "alice", kCarolKey, {"staff"});
  alice.addresses.pop_back();
  this->expect_clean(reconciler.put_client(alice));
  EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
  this->expect_as_wanted(*reconciler.intent());
}

REGISTER_TYPED_TEST_SUITE_P(ReconcilerContract, LeavesAnEmptyDifference, DoesNothingTheSecondTime,
                            PreviewsWhatItThenDoesAndChangesNothing, ConvergesAfterACrashWithoutTouchingAnything,
                            PutsAnAddressBack, PutsAnIpv6AddressOfTheTunnelBack, PutsAPeerBack, AttachesAProgramAgain,
                            LoadsAFlushedFrameAgain, LoadsAnEditedFrameAgain, SetsASysctlBack, PutsARouteBack,
                            BringsTheTunnelUpAgainWithItsRoutes, MakesADeletedTunnelAnewWithAllThatBelongsToIt,
                            TakesAwayWhatIsNoLongerWanted, MovesTheTunnelToAnotherNameAndPort,
                            ReplacesAnAddressOfTheSameBlock, AddsAClientWithoutReadingTheKernel,
                            AddsAClientOfAnUnknownCombinationOfGroupsByConverging, RevokesInTheOrderHostsGenerationPeer,
                            MovesAClientToAnotherGroupKeyAndAddress);

}  // namespace gw::test
