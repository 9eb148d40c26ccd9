// SPDX-License-Identifier: Apache-2.0
// What the removal of the package relies on: gatewayd --teardown.
#include <filesystem>

#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kRules = R"(groups: {developers: {}}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
)";

class Teardown : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << std::endl;
  }

  /// All that gatewayd may have put into the kernel, as the tools show it.
  std::string picture() {
    const Host& gateway = lab_.gateway();
    return gateway.must("ip -br link") + gateway.must("ip -o address") + gateway.must("ip route show table all") +
           gateway.must("ip -6 route show table main") + gateway.must("nft list ruleset") + filters("eth0") +
           filters("eth1") + gateway.must("find /run/bpf");
  }
  std::string filters(const std::string& device) {
    return lab_.gateway().must("tc filter show dev " + device + " ingress") +
           lab_.gateway().must("tc filter show dev " + device + " egress");
  }
  Output tear_down() {
    Arguments command = lab_.daemon_command();
    command.emplace_back("--teardown");
    return lab_.gateway().run(command);
  }

  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Teardown, LeavesTheHostAsItWasWithoutGatewaydAndNothingForwarded) {
  lab_.gateway().must("tc qdisc add dev eth0 clsact");
  lab_.gateway().must("tc qdisc add dev eth1 clsact");
  lab_.gateway().must("nft add table inet foreign");
  ASSERT_TRUE(Lab::eventually([&] { return picture().find("tentative") == std::string::npos; }));
  const std::string before = picture();
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  ASSERT_EQ(try_ping(alice, kWeb4), Reach::open);
  ASSERT_NE(picture(), before);
  lab_.stop();
  ASSERT_NE(picture(), before);

  const Output done = tear_down();
  ASSERT_TRUE(done.ok()) << done.out << done.err;
  EXPECT_EQ(picture(), before);
  EXPECT_EQ(lab_.gateway().must("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"), "0\n0\n");
  EXPECT_FALSE(std::filesystem::exists(lab_.directory() + "/run/gateway"));
  const Output again = tear_down();
  EXPECT_TRUE(again.ok()) << again.out << again.err;

  lab_.start();
  EXPECT_NE(lab_.must_gwctl("client list").find("alice"), std::string::npos);
}

TEST_F(Teardown, IsRefusedWhileGatewaydRuns) {
  lab_.configure(kRules);
  lab_.start();
  const std::string before = picture();
  const Output refused = tear_down();
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("runs already"), std::string::npos) << refused.err;
  EXPECT_EQ(picture(), before);
  EXPECT_EQ(lab_.gateway().must("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
}

}  // namespace
}  // namespace gw::test
