// SPDX-License-Identifier: Apache-2.0
// A cloud VM: one network card, and a subnet behind a router of the same network.
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kConfig = R"(gateway:
  name: contoso
  public: {interface: eth0, endpoint: "5.5.5.1:51820"}
vpn:
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
network: {address_space: [10.1.0.0/16]}
subnets:
  near: {prefixes: [10.1.8.0/24], interface: eth0}
  far:  {prefixes: [10.1.9.0/24], interface: eth0, via: 10.1.8.200}
groups: {developers: {}}
rules:
  - {name: dev-near, action: allow, from: [group:developers], to: [subnet:near], services: [tcp/80]}
  - {name: dev-far, action: allow, from: [group:developers], to: [subnet:far], services: [tcp/80]}
)";

class OneCard : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Guards, OneCard,
                         testing::Values("guard: {hook: tc}\n", "guard: {hook: xdp}\ndataplane: {fast_path: on}\n"));

TEST_P(OneCard, ServesClientsANearAndARoutedSubnetOnThePublicCard) {
  Lab lab(GW_BINARY_DIR);
  // `outside` is the neighbour 10.1.8.200 on the same wire, and the router to 10.1.9.0/24.
  lab.gateway().must("ip address add 10.1.8.1/24 dev eth0");
  lab.outside().must("ip address add 10.1.8.200/24 dev eth0");
  lab.outside().must("ip address add 10.1.9.9/32 dev lo");
  lab.outside().must("ip route add 172.16.201.0/24 via 10.1.8.1");
  lab.write_file("gateway.yaml", std::string(kConfig) + GetParam());
  lab.start();
  Host& alice = lab.enrol("alice", "developers");

  const Socket near = listen_tcp(lab.outside(), "10.1.8.200", 80);
  const Socket far = listen_tcp(lab.outside(), "10.1.9.9", 80);
  const Socket closed = listen_tcp(lab.outside(), "10.1.9.9", 81);
  EXPECT_EQ(try_tcp(alice, "10.1.8.200", 80), Reach::open);
  EXPECT_EQ(try_tcp(alice, "10.1.9.9", 80), Reach::open);
  EXPECT_EQ(try_tcp(alice, "10.1.9.9", 81, kSilence), Reach::silent);
  EXPECT_NE(lab.gateway().must("ip route show 10.1.9.0/24").find("via 10.1.8.200 dev eth0"), std::string::npos);

  // A stranger on the wire reaches the gateway's open services, and nothing behind it.
  const Socket ssh = listen_tcp(lab.gateway(), "5.5.5.1", 22);
  EXPECT_EQ(try_tcp(lab.outside(), "5.5.5.1", 22), Reach::open);
  const Socket inner = listen_tcp(alice, lab.address("alice", 4), 80);
  EXPECT_EQ(try_tcp(lab.outside(), lab.address("alice", 4), 80, kSilence), Reach::silent);
  const Socket spoofed = connect_udp(lab.outside(), lab.address("alice", 4), 9, "7.7.7.7");
  const Socket listener = bind_udp(alice, lab.address("alice", 4), 9);
  ASSERT_TRUE(spoofed.send("foreign source"));
  EXPECT_EQ(listener.receive(kSilence), std::nullopt);
}

}  // namespace
}  // namespace gw::test
