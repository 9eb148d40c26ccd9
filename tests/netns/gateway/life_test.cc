// SPDX-License-Identifier: Apache-2.0
// First start, drift, foreign objects, certificates that end: the gateway over time.
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kRules = R"(groups: {developers: {}}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80, icmp]}
)";

class Life : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << std::endl;
  }
  bool nothing_to_do() { return lab_.gwctl("plan").out.find("othing to do") != std::string::npos; }
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Life, SshToTheGatewaySurvivesTheFirstStart) {
  const Socket listener = listen_tcp(lab_.gateway(), "5.5.5.1", 22);
  const Socket before = connect_tcp(lab_.outside(), "5.5.5.1", 22);
  ASSERT_TRUE(before.valid());
  const Socket session = listener.accept();
  lab_.configure(kRules);
  lab_.start();
  ASSERT_TRUE(before.send("still here"));
  EXPECT_EQ(session.receive(), "still here");
  EXPECT_EQ(try_tcp(lab_.outside(), "5.5.5.1", 22), Reach::open);
  const Socket other = listen_tcp(lab_.gateway(), "5.5.5.1", 8080);
  EXPECT_EQ(try_tcp(lab_.outside(), "5.5.5.1", 8080, kSilence), Reach::silent);
}

TEST_F(Life, MendsWhatSomeoneBreaksByHandAndTellsIt) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  ASSERT_EQ(try_ping(alice, kWeb4), Reach::open);
  const Host& gateway = lab_.gateway();
  const std::string peer = gateway.must("wg show wg0 peers");
  const struct {
    const char* what;
    std::string command;
  } kDamage[] = {
      {"address", "ip address del 172.16.201.1/24 dev wg0"},
      {"peer", "wg set wg0 peer " + peer.substr(0, peer.size() - 1) + " remove"},
      {"filter", "tc qdisc del dev eth1 clsact"},
      {"nftables", "nft flush ruleset"},
      {"forwarding", "sysctl -qw net.ipv4.ip_forward=0"},
  };
  for (const auto& damage : kDamage) {
    const size_t told = lab_.log().size();
    gateway.must(damage.command);
    if (std::string(damage.what) == "peer" || std::string(damage.what) == "forwarding")
      lab_.must_gwctl("apply");  // no event tells of these
    EXPECT_TRUE(Lab::eventually([&] { return nothing_to_do(); })) << damage.what << "\n" << lab_.gwctl("plan").out;
    // A client whose session is gone starts a new one after 15 s without an answer (WireGuard's whitepaper §6.5).
    EXPECT_TRUE(
        Lab::eventually([&] { return try_ping(alice, kWeb4, kSilence) == Reach::open; }, std::chrono::seconds(40)))
        << damage.what;
    EXPECT_TRUE(Lab::eventually([&] { return lab_.log().find("repair", told) != std::string::npos; })) << damage.what;
  }
}

TEST_F(Life, AProgramDetachedByHandBlocksAndDoesNotOpen) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  ASSERT_EQ(try_ping(alice, kWeb4), Reach::open);
  lab_.crash();
  lab_.gateway().must("tc qdisc del dev wg0 clsact");
  EXPECT_EQ(try_ping(alice, kWeb4, kSilence), Reach::silent);
  lab_.start();
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
}

TEST_F(Life, ForeignObjectsStayUntouched) {
  const Host& gateway = lab_.gateway();
  gateway.must("ip link add foreign type veth peer name foreign-peer");
  gateway.must("ip link set foreign up");
  gateway.must("ip link set foreign-peer up");
  gateway.must("ip address add 192.168.77.1/24 dev foreign");
  // The kernel tells the state of a cable a while after it was plugged in.
  ASSERT_TRUE(Lab::eventually([&] {
    return gateway.must("ip -br link show foreign").find(" UP ") != std::string::npos &&
           gateway.must("ip -br address show foreign").find("tentative") == std::string::npos;
  }));
  gateway.must("ip address add 10.1.1.99/24 dev eth1");
  gateway.must("ip route add 192.168.99.0/24 via 5.5.5.200");
  gateway.must("tc qdisc add dev eth1 clsact");
  gateway.must(Arguments{"tc", "filter", "add", "dev", "eth1", "ingress", "protocol", "ip", "prio", "99", "bpf",
                         "bytecode", "1,6 0 0 0,"});
  gateway.must("nft add table inet foreign");
  gateway.must("nft add chain inet foreign keep");
  const auto picture = [&] {
    return gateway.must("ip -br link show foreign") + gateway.must("ip -br address show foreign") +
           gateway.must("ip -br address show eth0") + gateway.must("ip route show 192.168.99.0/24") +
           gateway.must("nft list table inet foreign") + gateway.must("tc filter show dev eth1 ingress pref 99") +
           gateway.must("ip address show dev eth1 to 10.1.1.99");
  };
  const std::string before = picture();
  lab_.configure(kRules);
  lab_.start();
  lab_.must_gwctl("apply");
  EXPECT_EQ(picture(), before);
  lab_.configure("");
  lab_.must_gwctl("apply");
  EXPECT_EQ(picture(), before);
}

TEST_F(Life, AConfirmedApplyStaysAnUnconfirmedOneGoesBackAlsoOverACrash) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  ASSERT_EQ(try_ping(alice, kWeb4), Reach::open);
  lab_.configure("groups: {developers: {}}\n");
  lab_.must_gwctl("apply --confirm 2");
  EXPECT_EQ(try_ping(alice, kWeb4, kSilence), Reach::silent);
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(alice, kWeb4, kSilence) == Reach::open; }));
  lab_.must_gwctl("apply --confirm 600");
  EXPECT_EQ(try_ping(alice, kWeb4, kSilence), Reach::silent);
  lab_.crash();
  lab_.start();  // from the last confirmed intent
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
  lab_.must_gwctl("apply --confirm 600");
  lab_.must_gwctl("confirm");
  lab_.crash();
  lab_.start();
  EXPECT_EQ(try_ping(alice, kWeb4, kSilence), Reach::silent);
  lab_.must_gwctl("rollback");
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
}

TEST_F(Life, RollbackBringsNoRevokedClientBack) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  lab_.configure("groups: {developers: {}}\n");
  lab_.must_gwctl("apply");
  lab_.must_gwctl("client revoke alice");
  lab_.must_gwctl("rollback");
  EXPECT_EQ(try_ping(alice, kWeb4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(alice, "172.16.201.1", kSilence), Reach::silent);
}

}  // namespace
}  // namespace gw::test
