// SPDX-License-Identifier: Apache-2.0
// What a client or a subnet host tries that no rule gives it: scans, floods, fragments.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <regex>
#include <set>

#include "bpf/abi.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kWeb6 = "fd10:1:1::10";
constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kGateway4 = "172.16.201.1";
constexpr const char* kGateway6 = "fd6d:706e:6c61::1";
constexpr const char* kRules = R"(  - name: dev-web
    action: allow
    from: [group:developers]
    to: [subnet:web]
    services: [tcp/80, tcp/443, udp/5000, icmp]
  - {name: dev-gateway, action: allow, from: [group:developers], to: [gateway], services: [tcp/8080]}
  - {name: web-data, action: allow, from: [subnet:web], to: [subnet:data], services: [udp/9]}
)";

class Attack : public RunningGateway {
 protected:
  void SetUp() override { rules(kRules); }

  /// The ports that nmap calls open, "80/tcp 443/tcp"; `what`: its scan and its ports.
  static std::string scan(const Host& from, const std::string& what, const std::string& target) {
    Arguments command = words("nmap -n -Pn --max-retries 1 --min-rate 2000 --host-timeout 20s --open -oG - " + what);
    if (target.find(':') != std::string::npos) command.emplace_back("-6");
    command.push_back(target);
    const Output output = from.run(command);
    EXPECT_TRUE(output.ok()) << output.err;
    std::string out;
    const std::regex port("([0-9]+)/open/(tcp|udp)");
    for (auto at = std::sregex_iterator(output.out.begin(), output.out.end(), port); at != std::sregex_iterator(); ++at)
      out += (out.empty() ? "" : " ") + (*at)[1].str() + "/" + (*at)[2].str();
    return out;
  }
};

TEST_F(Attack, AScanByAClientFindsWhatRulesOpenAndNothingElse) {
  std::vector<Socket> open;
  for (const uint16_t port : {22, 80, 443, 3306}) {
    open.push_back(listen_tcp(lab().web(), kWeb4, port));
    open.push_back(listen_tcp(lab().web(), kWeb6, port));
  }
  for (const char* address : {kGateway4, kGateway6}) {
    for (const uint16_t port : {22, 8080, 9090}) open.push_back(listen_tcp(lab().gateway(), address, port));
  }
  const UdpEcho allowed(lab().web(), kWeb4, 5000);
  const UdpEcho hidden(lab().web(), kWeb4, 5001);
  for (const char* address : {kWeb4, kWeb6}) {
    EXPECT_EQ(scan(alice(), "-sT -p 1-500,3306", address), "80/tcp 443/tcp") << address;
    EXPECT_EQ(scan(bob(), "-sT -p 1-500,3306", address), "") << address;
  }
  for (const char* address : {kGateway4, kGateway6}) {
    EXPECT_EQ(scan(alice(), "-sT -p 20-30,8080,9090,51820", address), "8080/tcp") << address;
    EXPECT_EQ(scan(bob(), "-sT -p 20-30,8080,9090,51820", address), "") << address;
  }
  EXPECT_EQ(scan(alice(), "-sU --data-string hello -p 4990-5010", kWeb4), "5000/udp");
  EXPECT_EQ(scan(alice(), "-sU --data-string hello -p 53,123,51820", kGateway4), "");
  // Scans that speak no proper TCP: an ACK, FIN or Xmas packet opens nothing behind a port that is closed.
  for (const char* kind : {"-sA", "-sF", "-sX", "-sN"}) {
    const Output output =
        alice().run(words(std::string("nmap -n -Pn -e alice --max-retries 0 -oG - -p 22,3306 ") + kind + " " + kData4));
    EXPECT_EQ(output.out.find("/unfiltered/"), std::string::npos) << kind << output.out;
    EXPECT_EQ(output.out.find("/closed/"), std::string::npos) << kind << output.out;
  }
}

TEST_F(Attack, AScanByASubnetHostFindsWhatRulesOpenAndNothingElse) {
  const Socket ssh = listen_tcp(lab().data(), kData4, 22);
  const Socket own = listen_tcp(lab().gateway(), "10.1.1.1", 22);
  const UdpEcho allowed(lab().data(), kData4, 9);
  const UdpEcho hidden(lab().data(), kData4, 10);
  EXPECT_EQ(scan(lab().web(), "-sS -p 1-100", kData4), "");
  EXPECT_EQ(scan(lab().web(), "-sS -p 1-100", "10.1.1.1"), "");
  EXPECT_EQ(scan(lab().web(), "-sU --data-string hello -p 1-20", kData4), "9/udp");
  EXPECT_EQ(scan(lab().web(), "-sS -p 22", lab().address("alice", 4)), "");
}

TEST_F(Attack, AFlowFloodLeavesTheFlowsOfOthersAlive) {
  const Socket listener = listen_tcp(lab().web(), kWeb4, 443);
  const Socket idle = connect_tcp(carol(), kWeb4, 443);  // an ssh, left alone
  ASSERT_TRUE(idle.valid());
  const Socket session = listener.accept();
  ASSERT_TRUE(idle.send("login"));
  ASSERT_EQ(session.receive(), "login");
  const Socket udp_server = bind_udp(lab().web(), kWeb4, 5000);
  const Socket udp = connect_udp(carol(), kWeb4, 5000);
  ASSERT_TRUE(udp.send("before"));
  ASSERT_EQ(udp_server.receive(), "before");

  const struct {
    const char* who;
    const Host& from;
    const char* flags;
    const char* to;
  } kFloods[] = {{"a client", alice(), "-S -p 80 -I alice", kWeb4},
                 {"a subnet host", lab().web(), "--udp -p 9", kData4}};
  const auto received = [] {
    return std::stoull(lab().gateway().must("cat /sys/class/net/eth1/statistics/rx_packets"));
  };
  constexpr int kSeconds = 4;
  uint64_t packets = 0;  // of the last flood, from the subnet on eth1
  for (const auto& flood : kFloods) {
    packets = received();
    // A new source port with every packet: each would be a flow. 100,000 are more than the table of new flows holds.
    const Output output =
        flood.from.run(words(std::string("hping3 -q -n --flood --faster -c 100000 ") + flood.flags + " " + flood.to),
                       std::chrono::seconds(kSeconds));
    ASSERT_NE(output.status, 127) << output.err;
    packets = received() - packets;
    ASSERT_TRUE(idle.send("still here")) << flood.who;
    EXPECT_EQ(session.receive(), "still here") << flood.who;
    ASSERT_TRUE(session.send("so am I")) << flood.who;
    EXPECT_EQ(idle.receive(), "so am I") << flood.who;
    ASSERT_TRUE(udp.send("after")) << flood.who;
    EXPECT_EQ(udp_server.receive(), "after") << flood.who;
    EXPECT_EQ(try_ping(carol(), kWeb4), Reach::open) << flood.who << ": others open new ones too";
  }
  // A machine that is emulated does not reach the limit.
  const bool over_the_limit = packets > 2 * GW_DEFAULT_FLOW_RATE * (kSeconds + 1);
  const bool limited =
      lab().must_gwctl("status --json").find("too many new flows from this address") != std::string::npos;
  EXPECT_TRUE(limited || !over_the_limit) << packets << " packets";
}

TEST_F(Attack, FragmentsOfAFlowThatNoRuleAllowsReachNobody) {
  const Socket witness = bind_udp(lab().data(), kData4, 9);
  const Socket forbidden = bind_udp(lab().data(), kData4, 4242);
  const Socket honest = connect_udp(lab().web(), kData4, 9);
  // Fragments of a flow that no rule allows; then one that is allowed, as large.
  const Socket large = connect_udp(lab().web(), kData4, 4242);
  ASSERT_TRUE(large.send(std::string(4000, 'x')));
  ASSERT_TRUE(honest.send(std::string(4000, 'y')));
  EXPECT_EQ(witness.receive(), std::string(4000, 'y'));
  EXPECT_EQ(forbidden.receive(std::chrono::milliseconds(0)), std::nullopt);
}

/// How large a segment each side may send.
int segment_size(const Socket& socket) {
  int size = 0;
  socklen_t length = sizeof size;
  EXPECT_EQ(getsockopt(socket.fd(), IPPROTO_TCP, TCP_MAXSEG, &size, &length), 0);
  return size;
}

TEST_F(Attack, SegmentsAreClampedToTheTunnelInBothDirections) {
  rules(R"(  - {name: down, action: allow, from: [vpn], to: [subnet:web]}
  - {name: up, action: allow, from: [subnet:web], to: [vpn]}
)");
  // The client's own device would say less; as large as the subnet's it shows what the gateway does.
  alice().must("ip link set alice mtu 1500");
  const struct {
    const Host& from;
    const Host& to;
    std::string address;
    int overhead;
  } kWays[] = {{alice(), lab().web(), kWeb4, 40},
               {alice(), lab().web(), kWeb6, 60},
               {lab().web(), alice(), lab().address("alice", 4), 40},
               {lab().web(), alice(), lab().address("alice", 6), 60}};
  for (const auto& way : kWays) {
    const Socket listener = listen_tcp(way.to, way.address, 80);
    const Socket client = connect_tcp(way.from, way.address, 80);
    ASSERT_TRUE(client.valid()) << way.address;
    const Socket server = listener.accept();
    for (const Socket* end : {&client, &server}) {
      EXPECT_LE(segment_size(*end), 1420 - way.overhead) << way.address;
      EXPECT_GT(segment_size(*end), 1200) << way.address;
    }
  }
  alice().must("ip link set alice mtu 1420");
}

TEST_F(Attack, PathMtuIsDiscoveredThroughTheTunnelInBothDirectionsAndFamilies) {
  rules(R"(  - {name: down, action: allow, from: [vpn], to: [subnet:web], services: [icmp]}
  - {name: up, action: allow, from: [subnet:web], to: [vpn], services: [icmp]}
)");
  const auto largest = [](const Host& from, const std::string& address, int size) {
    return from.run(words("ping -n -c 1 -W 1 -M do -s " + std::to_string(size) + " " + address)).ok();
  };
  // Into the tunnel: 1420 fits, more is told to the sender, whose next ones are cut to fit.
  for (const int family : {4, 6}) {
    const std::string address = lab().address("alice", family);
    const int overhead = family == 4 ? 28 : 48;
    EXPECT_TRUE(largest(lab().web(), address, 1420 - overhead)) << address;
    EXPECT_FALSE(largest(lab().web(), address, 1421 - overhead)) << address;
    EXPECT_NE(lab().web().must("ip route get " + address).find("mtu 1420"), std::string::npos) << address;
  }
  // Out of it: a subnet whose link is narrower than the tunnel tells the client.
  lab().gateway().must("ip link set eth1 mtu 1300");
  for (const std::string& address : {std::string(kWeb4), std::string(kWeb6)}) {
    const int overhead = address == kWeb4 ? 28 : 48;
    EXPECT_TRUE(largest(alice(), address, 1300 - overhead)) << address;
    EXPECT_FALSE(largest(alice(), address, 1301 - overhead)) << address;
    EXPECT_NE(alice().must("ip route get " + address).find("mtu 1300"), std::string::npos) << address;
  }
  lab().gateway().must("ip link set eth1 mtu 1500");
}

}  // namespace
}  // namespace gw::test
