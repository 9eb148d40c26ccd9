// SPDX-License-Identifier: Apache-2.0
// The way to the internet through the gateway, and its end.
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kOutside4 = "6.6.6.6";
constexpr const char* kOutside6 = "2a0d:6::6";
constexpr const char* kInternet = R"(rules:
  - {name: surf, action: allow, from: [group:developers], to: [internet]}
nat: [{from: vpn, out: eth0}]
)";

class Nat : public testing::Test {
 protected:
  void SetUp() override {
    lab_.outside().must("ip address add 6.6.6.6/32 dev lo");
    lab_.outside().must("ip -6 address add 2a0d:6::6/128 dev lo nodad");
    lab_.gateway().must("ip route add default via 5.5.5.200");
    lab_.gateway().must("ip -6 route add default via 2a0d:5::c8");
    lab_.configure(std::string(kGroups) + kInternet);
    lab_.start();
    Host& alice = enrol("alice", "developers");
    enrol("bob", "contractors");
    ASSERT_EQ(try_ping(alice, "172.16.201.1"), Reach::open);
  }

  Host& enrol(const std::string& name, const std::string& group) {
    Host& host = lab_.enrol(name, group);
    host.must("ip route add 6.6.6.6/32 dev " + name);
    host.must("ip -6 route add 2a0d:6::6/128 dev " + name);
    const std::string peer = lab_.gateway().must("wg show wg0 public-key");
    host.must("wg set " + name + " peer " + peer.substr(0, peer.size() - 1) +
              " allowed-ips 172.16.201.0/24,fd6d:706e:6c61::/64,10.1.0.0/16,6.6.6.6/32,2a0d:6::6/128");
    return host;
  }

  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Nat, TakesAllowedClientsOutUnderTheGatewaysAddressUntilTheyAreRevoked) {
  const Socket four = listen_tcp(lab_.outside(), kOutside4, 80);
  const Socket six = listen_tcp(lab_.outside(), kOutside6, 80);
  const Socket client = connect_tcp(lab_.client("alice"), kOutside4, 80);
  ASSERT_TRUE(client.valid());
  const Socket server = four.accept();
  ASSERT_TRUE(client.send("up"));
  ASSERT_EQ(server.receive(), "up");
  ASSERT_TRUE(server.send("down"));
  ASSERT_EQ(client.receive(), "down");
  EXPECT_NE(lab_.outside().must("ss -Htn state established").find("5.5.5.1:"), std::string::npos);
  EXPECT_EQ(try_tcp(lab_.client("alice"), kOutside6, 80), Reach::open);
  EXPECT_EQ(try_tcp(lab_.client("bob"), kOutside4, 80, kSilence), Reach::silent);
  EXPECT_EQ(try_tcp(lab_.outside(), "172.16.201.4", 80, kSilence), Reach::prohibited);  // no way in: it has no route

  lab_.must_gwctl("client revoke alice");
  ASSERT_TRUE(server.send("late"));
  EXPECT_EQ(client.receive(kSilence), std::nullopt);
  ASSERT_TRUE(client.send("late"));
  EXPECT_EQ(server.receive(kSilence), std::nullopt);
}

TEST_F(Nat, CloudMetadataAndThePlatformsAddressAreOutOfReachUnlessARuleNamesThem) {
  const std::vector<std::string> addresses = {"169.254.169.254", "168.63.129.16"};
  Host& alice = lab_.client("alice");
  const std::string peer = words(lab_.gateway().must("wg show wg0 public-key")).at(0);
  alice.must("wg set alice peer " + peer + " allowed-ips 0.0.0.0/0");
  std::vector<Socket> services;
  for (const std::string& address : addresses) {
    lab_.outside().must("ip address add " + address + "/32 dev lo");
    services.push_back(listen_tcp(lab_.outside(), address, 80));
    lab_.gateway().must("ip route add " + address + " via 5.5.5.200");
    alice.must("ip route add " + address + " dev alice");
    ASSERT_EQ(try_tcp(lab_.gateway(), address, 80), Reach::open) << "the gateway itself may";
  }
  const auto allow = [&](const std::string& to) {
    lab_.reconfigure(std::string(kGroups) + "rules:\n  - {name: all, action: allow, from: [any], to: [" + to +
                     "]}\nnat: [{from: vpn, out: eth0}]\n");
  };
  for (const char* to : {"any", "internet"}) {
    allow(to);
    for (const std::string& address : addresses)
      EXPECT_EQ(try_tcp(alice, address, 80, kSilence), Reach::silent) << address << " by " << to;
  }
  allow("169.254.169.254/32, 168.63.129.16/32");
  for (const std::string& address : addresses) EXPECT_EQ(try_tcp(alice, address, 80), Reach::open) << address;
}

}  // namespace
}  // namespace gw::test
