// SPDX-License-Identifier: Apache-2.0
// The tunnels of gwconnect, against a real gateway.
#include <csignal>

#include "tests/netns/gateway/lab_fixture.h"
#include "tests/netns/gateway/member.h"

namespace gw::test {
namespace {

constexpr const char* kGateway4 = "172.16.201.1";
constexpr const char* kGateway6 = "fd6d:706e:6c61::1";
constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kFar4 = "6.6.6.6";
constexpr const char* kFar6 = "2a0d:6::6";
constexpr const char* kRules = R"(rules:
  - {name: surf, action: allow, from: [group:developers], to: [internet], services: [icmp, tcp/80]}
  - {name: web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
nat: [{from: vpn, out: eth0}]
)";

class ConnectTunnel : public testing::Test {
 protected:
  void SetUp() override {
    lab_.outside().ip({"address add 6.6.6.6/32 dev lo", "address add 2a0d:6::6/128 dev lo nodad"});
    give_way_out(lab_.gateway());
    lab_.configure(std::string(kGroups) + kRules);
    lab_.start();
    give_way_out(alice_.host());
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gwconnect's log:\n" << alice_.log() << alice_.gwconnect("status").out << std::endl;
  }
  static void give_way_out(const Host& host) {
    host.ip({"route add default via 5.5.5.200", "route add default via 2a0d:5::c8"});
  }
  /// Where a connection to the far host seems to come from; empty: there is none.
  std::string source(const char* address, std::chrono::milliseconds limit = kPatience) {
    const Socket listener = listen_tcp(lab_.outside(), address, 80);
    const Socket client = connect_tcp(alice_.host(), address, 80, limit);
    if (!client.valid()) return "";
    const Socket server = listener.accept();
    return lab_.outside().must("ss -Htn state established");
  }
  bool leaks() {
    constexpr std::chrono::seconds kLimit{2};
    return !source(kFar4, kLimit).empty() || !source(kFar6, kLimit).empty();
  }

  Lab lab_{GW_BINARY_DIR};
  Member alice_{lab_, "alice"};
};

TEST_F(ConnectTunnel, IsMadeAndMendedByTheServiceAndOutlivesIt) {
  alice_.provision("--group developers", false);
  alice_.start();
  ASSERT_TRUE(alice_.reaches(kWeb4)) << alice_.log();
  EXPECT_TRUE(alice_.reaches(kGateway6));
  EXPECT_EQ(alice_.gwconnect("status").status, 0);

  alice_.host().must("ip route del 10.1.1.0/24 dev gw0");
  EXPECT_TRUE(alice_.reaches(kWeb4));
  alice_.host().must("ip address flush dev gw0");
  EXPECT_TRUE(alice_.reaches(kWeb4));
  alice_.host().must("ip link del gw0");
  EXPECT_TRUE(alice_.reaches(kWeb4));

  alice_.end(SIGKILL);
  EXPECT_EQ(try_ping(alice_.host(), kWeb4), Reach::open);
  alice_.start();
  EXPECT_TRUE(alice_.reaches(kWeb4));
  alice_.must("leave");
  EXPECT_EQ(alice_.host().run({"ip", "link", "show", "gw0"}).status, 1);
  EXPECT_EQ(alice_.gwconnect("status").status, 1);
  EXPECT_TRUE(alice_.running());
}

TEST_F(ConnectTunnel, OfASecondNetworkIsKeptApartAndLeavingOneLeavesTheOther) {
  alice_.provision("--group developers", false);
  alice_.provision("--group developers", false);
  alice_.start();
  ASSERT_TRUE(alice_.reaches(kWeb4)) << alice_.log();
  const auto both = alice_.status();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_TRUE(both[0]["problems"].empty()) << both;
  EXPECT_NE(both[1]["problems"].dump().find("10.1.1.0/24 of contoso overlaps 10.1.1.0/24 of contoso"),
            std::string::npos)
      << both;
  EXPECT_NE(alice_.host().must("ip route get 10.1.1.10").find("dev gw0"), std::string::npos);
  alice_.must("leave gw0");
  EXPECT_TRUE(alice_.reaches(kWeb4));
  EXPECT_NE(alice_.host().must("ip route get 10.1.1.10").find("dev gw1"), std::string::npos);
  EXPECT_TRUE(alice_.status()[0]["problems"].empty()) << alice_.status();
}

TEST_F(ConnectTunnel, ThatIsFullTakesEverythingButTheLocalNet) {
  EXPECT_NE(source(kFar4).find("5.5.5.11"), std::string::npos);
  alice_.provision("--group developers --tunnel full", false);
  alice_.start();
  ASSERT_TRUE(alice_.reaches(kGateway4)) << alice_.log();
  for (const char* far : {kFar4, kFar6}) {
    const std::string seen = source(far);
    EXPECT_NE(seen, "") << far;
    EXPECT_EQ(seen.find("5.5.5.11"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("2a0d:5::11"), std::string::npos) << seen;
  }
  EXPECT_EQ(try_ping(alice_.host(), "5.5.5.200"), Reach::open);  // on its own net
  // Somebody takes the rules away: packets go past the tunnel until they are back.
  alice_.host().must("ip rule flush");
  alice_.host().ip({"rule add priority 32766 table main"});
  EXPECT_TRUE(
      Lab::eventually([&] { return source(kFar4).find("5.5.5.11") == std::string::npos; }, std::chrono::seconds(10)));
  alice_.must("leave");
  EXPECT_NE(source(kFar4).find("5.5.5.11"), std::string::npos);
  EXPECT_EQ(alice_.host().must("ip rule").find("264"), std::string::npos);
  EXPECT_EQ(alice_.host().must("ip -6 rule").find("264"), std::string::npos);
}

TEST_F(ConnectTunnel, ThatFailsClosedLetsNothingPastItWhateverIsGone) {
  alice_.provision("--group developers --tunnel full", true);
  alice_.start();
  ASSERT_TRUE(alice_.reaches(kGateway4)) << alice_.log();
  EXPECT_NE(source(kFar4), "");
  alice_.end(SIGKILL);
  EXPECT_NE(source(kFar6), "");
  alice_.host().must("ip link del gw0");
  EXPECT_FALSE(leaks());
  EXPECT_EQ(try_ping(alice_.host(), "5.5.5.200"), Reach::open);
  alice_.start();
  EXPECT_TRUE(alice_.reaches(kGateway4));
  lab_.stop();
  lab_.gateway().must("ip link set eth0 down");
  EXPECT_FALSE(leaks());
  alice_.end(SIGTERM);
  EXPECT_FALSE(leaks());
  alice_.must("down");
  EXPECT_TRUE(leaks());  // as asked
  alice_.must("leave");
  EXPECT_TRUE(leaks());  // nothing holds it back any more
}

}  // namespace
}  // namespace gw::test
