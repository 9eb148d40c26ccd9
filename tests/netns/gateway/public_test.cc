// SPDX-License-Identifier: Apache-2.0
// What the outside reaches of the gateway itself: `gateway.public.allow`, over IPv4 and IPv6.
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr std::array<const char*, 2> kPublic = {"5.5.5.1", "2a0d:5::1"};

std::string configuration(const std::string& allow) {
  return R"(gateway: {name: contoso, public: {interface: eth0, endpoint: "5.5.5.1:51820")" + allow + R"(}}
vpn: {subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]}
)";
}

class PublicSide : public testing::Test {
 protected:
  void apply(const std::string& allow) {
    lab.write_file("gateway.yaml", configuration(allow));
    if (lab.running()) {
      lab.must_gwctl("apply");
    } else {
      lab.start();
    }
  }
  Lab lab{GW_BINARY_DIR};
};

TEST_F(PublicSide, OpensSshAndPingUnlessToldOtherwise) {
  apply("");
  for (const char* address : kPublic) {
    const Socket ssh = listen_tcp(lab.gateway(), address, 22);
    const Socket web = listen_tcp(lab.gateway(), address, 80);
    EXPECT_EQ(try_tcp(lab.outside(), address, 22), Reach::open) << address;
    EXPECT_EQ(try_tcp(lab.outside(), address, 80, kSilence), Reach::silent) << address;
    EXPECT_EQ(try_ping(lab.outside(), address), Reach::open) << address;
  }
}

TEST_F(PublicSide, OpensOnlyWhatIsNamed) {
  apply(", allow: [tcp/8080, udp/5000-5001]");
  for (const char* address : kPublic) {
    const Socket ssh = listen_tcp(lab.gateway(), address, 22);
    const Socket named = listen_tcp(lab.gateway(), address, 8080);
    const UdpEcho first(lab.gateway(), address, 5001);
    const UdpEcho past(lab.gateway(), address, 5002);
    EXPECT_EQ(try_tcp(lab.outside(), address, 8080), Reach::open) << address;
    EXPECT_EQ(try_udp(lab.outside(), address, 5001), Reach::open) << address;
    EXPECT_EQ(try_udp(lab.outside(), address, 5002, kSilence), Reach::silent) << address;
    EXPECT_EQ(try_tcp(lab.outside(), address, 22, kSilence), Reach::silent) << address;
    EXPECT_EQ(try_ping(lab.outside(), address, kSilence), Reach::silent) << address;
  }
}

TEST_F(PublicSide, LeavesWireGuardOpenWhenNothingElseIs) {
  apply(", allow: []");
  for (const char* address : kPublic) {
    const Socket ssh = listen_tcp(lab.gateway(), address, 22);
    EXPECT_EQ(try_tcp(lab.outside(), address, 22, kSilence), Reach::silent) << address;
    EXPECT_EQ(try_ping(lab.outside(), address, kSilence), Reach::silent) << address;
  }
  lab.enrol("alice", "");  // waits for an answer through the tunnel
  // Neighbour discovery has to work all the same, or IPv6 would be dead.
  lab.gateway().must("ip neighbour flush dev eth0");
  EXPECT_EQ(try_ping(lab.gateway(), "2a0d:5::c8"), Reach::open) << "what the gateway itself begins";
}

}  // namespace
}  // namespace gw::test
