// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <iostream>
#include <random>

#include "gatewayd/apply/link_journal.h"
#include "gatewayd/apply/linux_sysctl.h"
#include "gatewayd/base/fd.h"
#include "tests/netns/apply/stage.h"

/// What only the real kernel can show: refusals in its own words, and the traces of a crash.
namespace gw::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class LinuxKernelTest : public testing::Test {
 protected:
  apply::Reconciler open() {
    return apply::Reconciler::open(stage_.kernel(), SecretKey::parse(kContractKey).value(), stage_.run_directory())
        .value();
  }
  apply::Report converge(apply::Reconciler& reconciler, const plan::Intent& intent = contract_intent()) {
    reconciler.set_intent(intent);
    return reconciler.converge();
  }
  static void add_veth(const std::string& name) {
    must("ip link add " + name + " type veth peer name " + name + "p");
    must("ip link set " + name + " up");
    must("ip link set " + name + "p up");
  }

  LinuxStage stage_;
};

TEST_F(LinuxKernelTest, LeavesForeignObjectsAlone) {
  stage_.add_foreign();
  const std::string before = stage_.foreign();
  auto reconciler = open();
  EXPECT_TRUE(converge(reconciler).clean());
  EXPECT_EQ(stage_.foreign(), before);
  plan::Intent other = contract_intent();
  other.config.subnets.clear();
  other.config.rules.clear();
  other.config.sites.clear();
  other.config.nat.clear();
  EXPECT_TRUE(converge(reconciler, other).clean());
  EXPECT_EQ(stage_.foreign(), before);
}

/// Takes the kernel from one intent to another and back until it is killed, telling each one that is done.
[[noreturn]] void alternate(LinuxStage& stage, int told) {
  stage.restart();
  auto reconciler =
      apply::Reconciler::open(stage.kernel(), SecretKey::parse(kContractKey).value(), stage.run_directory()).value();
  plan::Intent other = contract_intent();
  other.config.vpn.interface = "gwtest1";
  other.config.subnets.at("web").address.clear();
  other.config.subnets.erase("far");
  other.config.sites.clear();
  other.clients.erase(1);
  for (;;) {
    for (const plan::Intent& intent : {contract_intent(), other}) {
      reconciler.set_intent(intent);
      const auto report = reconciler.converge();
      for (const Error& error : report.errors) std::cerr << error.message() << "\n";
      for (const std::string& line : report.leftover) std::cerr << "left: " << line << "\n";
      if (!report.clean() || ::write(told, "x", 1) != 1) ::_exit(1);
    }
  }
}

TEST_F(LinuxKernelTest, ConvergesFromWhereverAKillLeftIt) {
  std::mt19937 random(3);
  for (int round = 0; round < 12; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    UniqueFd told(ends[0]);
    UniqueFd tell(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) alternate(stage_, tell.get());
    tell.reset();
    char byte = 0;
    ASSERT_EQ(::read(told.get(), &byte, 1), 1) << "the child could not converge";
    random.discard(random() % 30'000'000);  // a while, not a sleep: the child is somewhere inside its next run
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not converge";

    stage_.restart();
    auto reconciler = open();
    const auto report = converge(reconciler);
    for (const Error& error : report.errors) ADD_FAILURE() << error.message();
    ASSERT_THAT(report.leftover, IsEmpty());
    ASSERT_THAT(reconciler.converge().done, IsEmpty());
  }
}

TEST_F(LinuxKernelTest, RefusesADeviceOfOurNameThatIsNotOurs) {
  must("ip link add gwtest0 type veth peer name gwtest0p");
  const std::string before = must("ip -d link show gwtest0");
  auto reconciler = open();
  const auto report = converge(reconciler);
  ASSERT_THAT(report.errors, SizeIs(1));
  EXPECT_EQ(report.errors[0].code, EEXIST);
  EXPECT_THAT(report.errors[0].message(),
              AllOf(HasSubstr("gwtest0"), HasSubstr("did not make"), HasSubstr("vpn.interface")));
  EXPECT_EQ(must("ip -d link show gwtest0"), before);
  EXPECT_FALSE(apply::LinkJournal(stage_.run_directory()).was_beginning("gwtest0"));
  EXPECT_THAT(report.done, Contains("+ program policy ingress on eth1"));
}

TEST_F(LinuxKernelTest, TakesUpADeviceWhoseMarkACrashPrevented) {
  apply::LinkJournal journal(stage_.run_directory());
  auto reconciler = open();
  ASSERT_TRUE(converge(reconciler).clean());
  // As the crash leaves it: made, noted, not marked.
  must(Arguments{"ip", "link", "set", "gwtest0", "alias", ""});
  ASSERT_TRUE(journal.begin("gwtest0"));
  stage_.restart();
  auto next = open();
  const auto report = converge(next);
  EXPECT_THAT(report.leftover, IsEmpty());
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_FALSE(journal.was_beginning("gwtest0"));
}

TEST_F(LinuxKernelTest, NamesTheSettingWhenThePortIsTaken) {
  const UniqueFd taken(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(51999);
  ASSERT_EQ(::bind(taken.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  auto reconciler = open();
  const auto report = converge(reconciler);
  ASSERT_THAT(report.errors, Not(IsEmpty()));
  EXPECT_EQ(report.errors[0].code, EADDRINUSE) << report.errors[0].message();
  EXPECT_THAT(report.errors[0].message(), AllOf(HasSubstr("51999"), HasSubstr("gateway.public.listen_port")));
  EXPECT_FALSE(report.clean());
}

TEST_F(LinuxKernelTest, GoesOnWhenAMissingInterfaceAppears) {
  must("ip link del eth1");
  auto reconciler = open();
  const auto before = converge(reconciler);
  ASSERT_THAT(before.errors, SizeIs(1));
  EXPECT_THAT(before.errors[0].message(), AllOf(HasSubstr("eth1"), HasSubstr("no such interface")));
  EXPECT_THAT(before.done, Contains("~ link gwtest0: up"));
  add_veth("eth1");
  const auto after = reconciler.converge();
  EXPECT_TRUE(after.clean());
  EXPECT_THAT(after.done, Contains("+ program policy ingress on eth1"));
}

TEST_F(LinuxKernelTest, ErasesTheEntryOfADeviceThatIsGone) {
  auto reconciler = open();
  ASSERT_TRUE(converge(reconciler).clean());
  must("ip link del eth1");
  add_veth("eth1");
  const auto report = reconciler.converge();
  EXPECT_TRUE(report.clean());
  EXPECT_THAT(report.done, Contains(testing::StartsWith("- policy: interface ifindex ")));
}

TEST_F(LinuxKernelTest, LeavesARouteAloneThatAnotherSetTheWayWeWantIt) {
  must("ip address add 10.1.1.8/24 dev eth1");
  must("ip route add 10.1.9.0/24 via 10.1.1.9 dev eth1 proto static");
  auto reconciler = open();
  const auto report = converge(reconciler);
  EXPECT_TRUE(report.clean());
  EXPECT_THAT(report.done, Not(Contains(HasSubstr("route 10.1.9.0/24"))));
  EXPECT_THAT(must("ip route show 10.1.9.0/24"), HasSubstr("proto static"));
}

TEST_F(LinuxKernelTest, TellsOfARouteThatIsInTheWay) {
  must("ip address add 10.1.1.8/24 dev eth1");
  must("ip route add 10.1.9.0/24 via 10.1.1.200 dev eth1");
  auto reconciler = open();
  const auto report = converge(reconciler);
  ASSERT_THAT(report.errors, SizeIs(1));
  EXPECT_THAT(report.errors[0].message(), HasSubstr("another program has set a different route"));
  EXPECT_THAT(must("ip route show 10.1.9.0/24"), HasSubstr("10.1.1.200"));
}

TEST_F(LinuxKernelTest, TellsOfANextHopThatCannotBeReached) {
  plan::Intent intent = contract_intent();
  intent.config.subnets.at("web").address.clear();
  auto reconciler = open();
  const auto report = converge(reconciler, intent);
  ASSERT_THAT(report.errors, SizeIs(1));
  EXPECT_THAT(report.errors[0].message(),
              AllOf(HasSubstr("10.1.1.9"), HasSubstr("no address in the network of the next hop")));
}

TEST_F(LinuxKernelTest, TellsTheFactsOfTheHost) {
  const auto facts = stage_.kernel().facts().value();
  EXPECT_EQ(facts.mtu.at("eth0"), 1500U);
  EXPECT_EQ(facts.state.at("eth0"), "up");
  EXPECT_THAT(facts.device_addresses.at("eth0"), Contains(*IpAddress::parse("198.51.100.1")));
  must("ip link set eth1p down");
  EXPECT_EQ(stage_.kernel().facts()->state.at("eth1"), "no carrier");
  must("ip link set eth1 down");
  EXPECT_EQ(stage_.kernel().facts()->state.at("eth1"), "down");
}

TEST_F(LinuxKernelTest, MovesTheMtuOfTheTunnelWithTheUplink) {
  auto reconciler = open();
  ASSERT_TRUE(converge(reconciler).clean());
  must("ip link set eth0 mtu 1400");
  EXPECT_THAT(reconciler.converge().done, ElementsAre("~ link gwtest0: MTU 1320"));
}

TEST_F(LinuxKernelTest, LeavesRouterAdvertisementsOffThatSomeoneTurnedOff) {
  ASSERT_TRUE(apply::write_sysctl("net.ipv6.conf.eth0.accept_ra", "0"));
  auto reconciler = open();
  EXPECT_TRUE(converge(reconciler).clean());
  EXPECT_EQ(apply::read_sysctl("net.ipv6.conf.eth0.accept_ra").value(), "0");
}

}  // namespace
}  // namespace gw::test
