// SPDX-License-Identifier: Apache-2.0
// Fail closed: what passes while the gateway is being made, taken apart, or mended. Nothing that no rule allows.
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kWeb6 = "fd10:1:1::10";
constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kRules = R"(groups: {developers: {}}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80, icmp]}
)";

/// Sends a datagram a millisecond to an address, and tells whether any arrived there.
class Stream {
 public:
  Stream(const Host& from, const Host& to, const std::string& address, uint16_t port)
      : server_(bind_udp(to, address, port)), client_(connect_udp(from, address, port)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  [[nodiscard]] bool arrived() const { return server_.receive(std::chrono::milliseconds(0)).has_value(); }
  [[nodiscard]] uint64_t sent() const { return sent_; }

 private:
  void run(const std::stop_token& stop) {
    const UniqueFd pace(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec millisecond{{0, 1'000'000}, {0, 1'000'000}};
    timerfd_settime(pace.get(), 0, &millisecond, nullptr);
    for (uint64_t ticks = 0; !stop.stop_requested() && read(pace.get(), &ticks, sizeof ticks) == sizeof ticks;) {
      if (client_.send("leak")) ++sent_;
    }
  }

  Socket server_, client_;
  std::atomic<uint64_t> sent_{0};
  std::jthread thread_;
};

class Closed : public testing::Test {
 protected:
  void SetUp() override {
    // A stranger who knows the way in, on the public side.
    lab_.outside().must("ip route add 10.1.0.0/16 via 5.5.5.1");
    lab_.outside().must("ip route add fd10:1::/32 via 2a0d:5::1");
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << std::endl;
  }
  // What was mended a moment ago waits its turn (apply::Pace).
  static constexpr auto kSoon = std::chrono::seconds(40);
  Lab lab_{GW_BINARY_DIR};
};

/// What rtnetlink tells of tc filters and of forwarding, in its order.
std::vector<std::string> read_order(int fd, const std::map<int, std::string>& devices) {
  std::vector<std::string> out;
  std::array<char, 65536> buffer{};
  for (ssize_t n = 0; (n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
    auto left = static_cast<unsigned>(n);
    for (auto* head = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
      if (head->nlmsg_type == RTM_NEWTFILTER) {
        const auto* filter = static_cast<const tcmsg*>(NLMSG_DATA(head));
        const auto device = devices.find(filter->tcm_ifindex);
        out.push_back("program on " + (device == devices.end() ? "wg0" : device->second));
      }
      if (head->nlmsg_type != RTM_NEWNETCONF) continue;
      auto* first = reinterpret_cast<rtattr*>(static_cast<char*>(NLMSG_DATA(head)) + NLMSG_ALIGN(sizeof(netconfmsg)));
      auto size = static_cast<unsigned>(NLMSG_PAYLOAD(head, sizeof(netconfmsg)));
      int device = 0;
      int forwarding = 0;
      for (auto* attribute = first; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size)) {
        if (attribute->rta_type == NETCONFA_IFINDEX) device = *static_cast<int*>(RTA_DATA(attribute));
        if (attribute->rta_type == NETCONFA_FORWARDING) forwarding = *static_cast<int*>(RTA_DATA(attribute));
      }
      if (device == NETCONFA_IFINDEX_ALL && forwarding != 0) out.emplace_back("forwarding");
    }
  }
  return out;
}

TEST_F(Closed, ForwardingIsTurnedOnAfterThePolicyIsAttachedAndNothingPassesMeanwhile) {
  lab_.configure(kRules);
  for (auto [host, address] : {std::pair{&lab_.web(), "10.1.1.1/24"}, {&lab_.data(), "10.1.2.1/24"}}) {
    const std::string device = host == &lab_.web() ? "eth1" : "eth2";
    lab_.gateway().must("ip address add " + std::string(address) + " dev " + device);
  }
  UniqueFd watch;
  std::map<int, std::string> devices;
  lab_.gateway().in([&] {
    watch.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    ASSERT_EQ(bind(watch.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    for (const int group : {RTNLGRP_TC, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF})
      ASSERT_EQ(setsockopt(watch.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), 0);
    for (const char* name : {"eth1", "eth2"}) devices[static_cast<int>(if_nametoindex(name))] = name;
  });
  const Stream between(lab_.web(), lab_.data(), kData4, 9);
  const Stream in(lab_.outside(), lab_.web(), kWeb4, 9);
  lab_.start();
  const std::vector<std::string> order = read_order(watch.get(), devices);
  std::set<std::string> before;
  size_t forwarding = 0;
  for (const std::string& event : order) {
    if (event == "forwarding") {
      ++forwarding;
      EXPECT_EQ(before, (std::set<std::string>{"program on eth1", "program on eth2", "program on wg0"}));
    }
    before.insert(event);
    before.erase("forwarding");
  }
  EXPECT_EQ(forwarding, 2U) << "IPv4 and IPv6";
  EXPECT_GT(between.sent(), 0U);
  EXPECT_GT(in.sent(), 0U);
  EXPECT_FALSE(between.arrived());
  EXPECT_FALSE(in.arrived());
}

TEST_F(Closed, NothingPassesWhileAProgramIsDetachedByHandAndMendedAgain) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  const Stream denied(alice, lab_.data(), kData4, 9);
  const Stream between(lab_.web(), lab_.data(), kData4, 10);
  for (const char* device : {"wg0", "eth1"}) {
    const size_t told = lab_.log().size();
    lab_.gateway().must("tc qdisc del dev " + std::string(device) + " clsact");
    EXPECT_TRUE(Lab::eventually([&] { return lab_.log().find("repaired", told) != std::string::npos; }, kSoon));
    EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
  }
  EXPECT_FALSE(denied.arrived());
  EXPECT_FALSE(between.arrived());
}

TEST_F(Closed, NothingNewPassesWhileAnotherFlushesTheRuleset) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  const Stream denied(alice, lab_.data(), kData4, 9);
  const Stream between(lab_.web(), lab_.data(), kData4, 10);
  const Stream in(lab_.outside(), lab_.web(), kWeb4, 11);
  for (int i = 0; i < 3; ++i) {
    const size_t told = lab_.log().size();
    lab_.gateway().must("nft flush ruleset");
    EXPECT_TRUE(Lab::eventually([&] { return lab_.log().find("repaired", told) != std::string::npos; }, kSoon));
  }
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
  EXPECT_FALSE(denied.arrived());
  EXPECT_FALSE(between.arrived());
  EXPECT_GT(in.sent(), 0U);
  EXPECT_FALSE(in.arrived()) << "one way would be enough for some";
}

TEST_F(Closed, NothingNewPassesWithTheRulesetFlushedAndGatewaydDead) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  lab_.crash();
  lab_.gateway().must("nft flush ruleset");
  const Stream in(lab_.outside(), lab_.web(), kWeb4, 11);
  const Stream in6(lab_.outside(), lab_.web(), kWeb6, 11);
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
  EXPECT_EQ(try_ping(alice, kData4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(lab_.web(), kData4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(lab_.outside(), kWeb4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(lab_.outside(), kWeb6, kSilence), Reach::silent);
  EXPECT_GT(in.sent() + in6.sent(), 0U);
  EXPECT_FALSE(in.arrived());
  EXPECT_FALSE(in6.arrived());
}

TEST_F(Closed, TheFrameAloneHoldsBeforeAnythingElseRuns) {
  lab_.configure(kRules);
  lab_.start();
  lab_.stop();
  const Host& gateway = lab_.gateway();
  // As after a boot, where something else has turned forwarding on already.
  gateway.must("nft flush ruleset");
  for (const char* device : {"eth1", "eth2"}) gateway.must("tc qdisc del dev " + std::string(device) + " clsact");
  gateway.must("ip link del wg0");
  ASSERT_EQ(try_ping(lab_.web(), kData4), Reach::open) << "else this would show nothing";
  lab_.write_file("gateway.yaml", "broken: [");  // edited and never applied: the stored intent counts
  Arguments command = lab_.daemon_command();
  command.emplace_back("--frame-only");
  const Output loaded = gateway.run(command);
  ASSERT_TRUE(loaded.ok()) << loaded.err;
  EXPECT_NE(loaded.out.find("is loaded"), std::string::npos) << loaded.out;
  EXPECT_EQ(try_ping(lab_.web(), kData4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(lab_.outside(), kWeb4, kSilence), Reach::silent);
  EXPECT_NE(gateway.run(command).out.find("is there"), std::string::npos);
  lab_.start();
  EXPECT_EQ(try_ping(lab_.web(), kData4, kSilence), Reach::silent);
}

TEST_F(Closed, TheFrameAloneIsNoMatterWhereNothingWasConfiguredAndTellsWhatIsBroken) {
  Arguments command = lab_.daemon_command();
  command.emplace_back("--frame-only");
  const Output nothing = lab_.gateway().run(command);
  EXPECT_TRUE(nothing.ok()) << nothing.err;
  lab_.write_file("gateway.yaml", "broken: [");
  lab_.gateway().must("sysctl -qw net.ipv4.ip_forward=1");
  lab_.gateway().must("sysctl -qw net.ipv6.conf.all.forwarding=1");
  const Output broken = lab_.gateway().run(command);
  EXPECT_EQ(broken.status, 1);
  EXPECT_NE(broken.err.find("--check"), std::string::npos) << broken.err;
  // Without the frame nothing passes either.
  EXPECT_EQ(lab_.gateway().must("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"), "0\n0\n");
}

TEST_F(Closed, ForeignForwardingIsLeftAloneOrDroppedAsConfigured) {
  // Two networks of somebody else, through the same machine.
  const Host left("left");
  const Host right("right");
  connect(lab_.gateway(), "left", left, "eth0");
  connect(lab_.gateway(), "right", right, "eth0");
  for (const auto& [host, device, net] : {std::tuple{&left, "left", "7"}, {&right, "right", "8"}}) {
    const std::string prefix = std::string("192.168.") + net;
    lab_.gateway().must("ip address add " + prefix + ".1/24 dev " + device);
    host->must("ip address add " + prefix + ".2/24 dev eth0");
    host->must("ip route add default via " + prefix + ".1");
  }
  lab_.configure(kRules);
  lab_.start();
  EXPECT_EQ(try_ping(left, "192.168.8.2"), Reach::open);
  EXPECT_EQ(try_ping(left, kWeb4, kSilence), Reach::silent);  // but not into ours
  EXPECT_EQ(try_ping(lab_.web(), "192.168.8.2", kSilence), Reach::silent);
  lab_.reconfigure(std::string("forward_foreign: drop\n") + kRules);
  EXPECT_EQ(try_ping(left, "192.168.8.2", kSilence), Reach::silent);
  EXPECT_EQ(try_ping(left, kWeb4, kSilence), Reach::silent);
  lab_.reconfigure(std::string("forward_foreign: leave\n") + kRules);
  EXPECT_EQ(try_ping(left, "192.168.8.2"), Reach::open);
}

}  // namespace
}  // namespace gw::test
