// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "gatewayd/base/ip.h"
#include "netlink/nftables.h"
#include "tests/support/host.h"
#include "tests/support/sockets.h"

// Real packets through the frame. In place of the policy program a table of its own sets the marks, by port:
// 1001 allowed, 1002 allowed with NAT, 1003 rejected, everything else unmarked.
namespace gw::nl {
namespace {

using test::Host;
using test::Reach;

constexpr uint16_t kUnmarked = 1000;
constexpr uint16_t kAllowed = 1001;
constexpr uint16_t kTranslated = 1002;
constexpr uint16_t kRejected = 1003;
constexpr uint16_t kWireGuard = 51820;

constexpr const char* kPolicy = R"(table inet marks {
  chain prerouting {
    type filter hook prerouting priority -400; policy accept;
    iifname { "nlv0", "nli0", "nlp0" } th dport 1001 meta mark set 0x10000000
    iifname { "nlv0", "nli0", "nlp0" } th sport 1001 meta mark set 0x10000000
    iifname "nlv0" th dport 1002 meta mark set 0x30000000
    iifname { "nlv0", "nli0", "nlp0" } th dport 1003 meta mark set 0x40000000
  }
})";

class FrameTraffic : public testing::Test {
 protected:
  FrameTraffic() {
    attach(client_, "nlv0", "1");
    attach(inner_, "nli0", "2");
    attach(outside_, "nlp0", "3");
    attach(foreign_, "nlf0", "4");
    gateway_.must("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    gateway_.must(test::Arguments{"nft", kPolicy});
  }

  static Frame frame() {
    Frame out;
    out.table = "gwtest";
    out.public_interface = "nlp0";
    out.vpn_interface = "nlv0";
    out.inner_interfaces = {"nli0"};
    out.wireguard_port = kWireGuard;
    out.open = {{"tcp", 22, 22}};
    out.masquerade = true;
    out.masquerade_out = {"nlp0"};
    out.mark_allow = 0x10000000;
    out.mark_nat = 0x20000000;
    out.mark_reject = 0x40000000;
    return out;
  }
  void load(const Frame& frame) {
    gateway_.in([&] {
      const auto loaded = load_frame(frame);
      ASSERT_TRUE(loaded) << loaded.error().message();
    });
  }

  /// True when a datagram to `port` arrives. One to `witness`, which is let through, follows it on the same way: once
  /// that has arrived, the first will not come any more.
  static bool arrives(const Host& from, const Host& to, const std::string& address, uint16_t port, uint16_t witness) {
    const std::string any = address.contains(':') ? "::" : "0.0.0.0";
    const auto wanted = test::bind_udp(to, any, port);
    const auto follower = test::bind_udp(to, any, witness);
    EXPECT_TRUE(test::connect_udp(from, address, port).send("first"));
    EXPECT_TRUE(test::connect_udp(from, address, witness).send("second"));
    EXPECT_EQ(follower.receive(), "second") << "the witness was dropped";
    return wanted.receive(std::chrono::milliseconds(0)).has_value();
  }

  /// Sends the next datagram back to where it came from; where that was.
  static std::string answer(const test::Socket& socket) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    char byte = 0;
    pollfd wait{socket.fd(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(test::kPatience.count())) != 1) return "nothing came";
    auto* name = reinterpret_cast<sockaddr*>(&from);
    if (::recvfrom(socket.fd(), &byte, 1, 0, name, &size) != 1) return "recvfrom failed";
    if (::sendto(socket.fd(), &byte, 1, 0, name, size) != 1) return "sendto failed";
    IpAddress address;
    std::memcpy(address.bytes.data(), &from.sin_addr, sizeof from.sin_addr);
    return address.str();
  }

  std::string tracked() const { return gateway_.must("cat /proc/sys/net/netfilter/nf_conntrack_count"); }

  Host gateway_{"gateway"};
  Host client_{"client"};
  Host inner_{"inner"};
  Host outside_{"outside"};
  Host foreign_{"foreign"};

 private:
  void attach(const Host& host, const std::string& device, const std::string& net) {
    test::connect(gateway_, device, host, "eth0");
    gateway_.must("ip address add 10." + net + ".0.1/24 dev " + device);
    gateway_.must("ip address add fd0" + net + "::1/64 dev " + device + " nodad");
    host.must("ip address add 10." + net + ".0.2/24 dev eth0");
    host.must("ip address add fd0" + net + "::2/64 dev eth0 nodad");
    host.must("ip route add default via 10." + net + ".0.1");
    host.must("ip -6 route add default via fd0" + net + "::1");
  }
};

TEST_F(FrameTraffic, ForwardsWhatIsMarkedAndDropsTheRest) {
  load(frame());
  for (const char* address : {"10.2.0.2", "fd02::2"}) {
    EXPECT_FALSE(arrives(client_, inner_, address, kUnmarked, kAllowed)) << address;
    EXPECT_TRUE(arrives(client_, inner_, address, kTranslated, kAllowed)) << address;
  }
  for (const char* address : {"10.1.0.2", "fd01::2"}) {
    EXPECT_FALSE(arrives(inner_, client_, address, kUnmarked, kAllowed)) << address;
    EXPECT_FALSE(arrives(outside_, client_, address, kUnmarked, kAllowed)) << address;
  }
}

TEST_F(FrameTraffic, OfPlainAllowedFlowsIsNotTracked) {
  load(frame());
  const std::string before = tracked();
  EXPECT_FALSE(arrives(client_, inner_, "10.2.0.2", kUnmarked, kAllowed));
  EXPECT_EQ(tracked(), before);
  EXPECT_TRUE(arrives(client_, inner_, "10.2.0.2", kTranslated, kAllowed));
  EXPECT_NE(tracked(), before);
}

TEST_F(FrameTraffic, OfWireGuardItselfIsNotTrackedInEitherDirection) {
  load(frame());
  const std::string before = tracked();
  const auto port = test::bind_udp(gateway_, "10.3.0.1", kWireGuard);
  const auto peer = test::connect_udp(outside_, "10.3.0.1", kWireGuard);
  ASSERT_TRUE(peer.send("x"));
  EXPECT_EQ(answer(port), "10.3.0.2");
  EXPECT_EQ(peer.receive(), "x");
  EXPECT_EQ(tracked(), before);
}

TEST_F(FrameTraffic, ToTheOutsideIsTranslatedAndItsUnmarkedRepliesComeBack) {
  load(frame());
  const auto server = test::bind_udp(outside_, "0.0.0.0", kTranslated);
  const auto client = test::connect_udp(client_, "10.3.0.2", kTranslated);
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(answer(server), "10.3.0.1");
  EXPECT_EQ(client.receive(), "x");
}

TEST_F(FrameTraffic, ToTheOutsideWithoutTheNatMarkKeepsItsAddress) {
  load(frame());
  const auto server = test::bind_udp(outside_, "0.0.0.0", kAllowed);
  const auto client = test::connect_udp(client_, "10.3.0.2", kAllowed);
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(answer(server), "10.1.0.2");
  EXPECT_EQ(client.receive(), "x");
}

TEST_F(FrameTraffic, OfATranslatedConnectionWorksBothWaysAndFitsTheSmallerMtu) {
  gateway_.must("ip link set nlv0 mtu 1400");
  load(frame());
  const auto listener = test::listen_tcp(outside_, "0.0.0.0", kTranslated);
  const auto client = test::connect_tcp(client_, "10.3.0.2", kTranslated);
  ASSERT_TRUE(client.valid());
  const auto server = listener.accept();
  ASSERT_TRUE(server.send("hello"));
  EXPECT_EQ(client.receive(), "hello");
  for (const auto* end : {&client, &server}) {
    int segment = 0;
    socklen_t size = sizeof segment;
    ASSERT_EQ(::getsockopt(end->fd(), IPPROTO_TCP, TCP_MAXSEG, &segment, &size), 0);
    EXPECT_GT(segment, 1000);
    EXPECT_LE(segment, 1400 - 40);
  }
}

TEST_F(FrameTraffic, ThatIsRejectedIsToldSoAtOnce) {
  load(frame());
  for (const char* address : {"10.2.0.2", "fd02::2", "10.1.0.1", "fd01::1"}) {
    EXPECT_EQ(test::try_tcp(client_, address, kRejected), Reach::refused) << address;
    EXPECT_EQ(test::try_udp(client_, address, kRejected), Reach::prohibited) << address;
  }
}

TEST_F(FrameTraffic, ToTheGatewayFromInsideNeedsTheMark) {
  load(frame());
  for (const char* address : {"10.1.0.1", "fd01::1"}) {
    EXPECT_FALSE(arrives(client_, gateway_, address, kUnmarked, kAllowed)) << address;
    EXPECT_FALSE(arrives(client_, gateway_, address, 22, kAllowed)) << address;
    EXPECT_FALSE(arrives(client_, gateway_, address, kWireGuard, kAllowed)) << address;
  }
  for (const char* address : {"10.2.0.1", "fd02::1"}) {
    EXPECT_FALSE(arrives(inner_, gateway_, address, kUnmarked, kAllowed)) << address;
  }
}

TEST_F(FrameTraffic, ToTheGatewayFromOutsideNeedsAnOpenServiceWhateverMarkItBrings) {
  load(frame());
  for (const char* address : {"10.3.0.1", "fd03::1"}) {
    EXPECT_FALSE(arrives(outside_, gateway_, address, kUnmarked, kWireGuard)) << address;
    EXPECT_FALSE(arrives(outside_, gateway_, address, kAllowed, kWireGuard)) << address;
  }
  const auto ssh = test::listen_tcp(gateway_, "0.0.0.0", 22);
  EXPECT_EQ(test::try_tcp(outside_, "10.3.0.1", 22), Reach::open);
  EXPECT_EQ(test::try_ping(outside_, "10.3.0.1", test::kSilence), Reach::silent);
}

TEST_F(FrameTraffic, ToTheGatewayFromOutsideMayBeOpenedByProtocolOrForEverything) {
  Frame wide = frame();
  wide.open = {{"proto", 1, 1}};
  load(wide);
  EXPECT_EQ(test::try_ping(outside_, "10.3.0.1"), Reach::open);
  EXPECT_FALSE(arrives(outside_, gateway_, "10.3.0.1", kUnmarked, kWireGuard));
  wide.open = {{"any", 0, UINT16_MAX}};
  load(wide);
  EXPECT_TRUE(arrives(outside_, gateway_, "10.3.0.1", kUnmarked, kWireGuard));
  EXPECT_TRUE(arrives(outside_, gateway_, "fd03::1", kUnmarked, kWireGuard));
}

TEST_F(FrameTraffic, ThatTheGatewayBeganGetsItsReplies) {
  load(frame());
  const auto listener = test::listen_tcp(outside_, "0.0.0.0", 8080);
  const auto inner_listener = test::listen_tcp(inner_, "::", 8080);
  EXPECT_EQ(test::try_tcp(gateway_, "10.3.0.2", 8080), Reach::open);
  EXPECT_EQ(test::try_tcp(gateway_, "fd02::2", 8080), Reach::open);
  EXPECT_EQ(test::try_ping(gateway_, "10.1.0.2"), Reach::open);
}

TEST_F(FrameTraffic, ToTheGatewayEndsWithItsMarkAlsoForAnOpenFlow) {
  load(frame());
  const auto server = test::bind_udp(gateway_, "0.0.0.0", kTranslated);
  const auto client = test::connect_udp(client_, "10.1.0.1", kTranslated);
  ASSERT_TRUE(client.send("x"));
  ASSERT_EQ(answer(server), "10.1.0.2");
  ASSERT_EQ(client.receive(), "x");
  gateway_.must("nft delete table inet marks");
  gateway_.must(test::Arguments{"nft",
                                "table inet marks { chain prerouting { type filter hook prerouting priority -400; "
                                "iifname nlv0 udp dport 1001 meta mark set 0x10000000; }; }"});
  const auto witness = test::bind_udp(gateway_, "0.0.0.0", kAllowed);
  ASSERT_TRUE(client.send("y"));
  ASSERT_TRUE(test::connect_udp(client_, "10.1.0.1", kAllowed).send("z"));
  ASSERT_EQ(witness.receive(), "z");
  EXPECT_EQ(server.receive(std::chrono::milliseconds(0)), std::nullopt);
}

TEST_F(FrameTraffic, OfADhcpServerToTheGatewayPasses) {
  load(frame());
  const auto server = test::bind_udp(outside_, "10.3.0.2", 67);
  const auto client = test::bind_udp(gateway_, "0.0.0.0", 68);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(68);
  to.sin_addr.s_addr = htonl(0x0a030001);
  ASSERT_EQ(::sendto(server.fd(), "offer", 5, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 5);
  EXPECT_EQ(client.receive(), "offer");
}

TEST_F(FrameTraffic, BetweenForeignInterfacesIsLeftAloneUnlessTheApplianceDropsIt) {
  Frame one = frame();
  load(one);
  EXPECT_TRUE(arrives(foreign_, outside_, "10.3.0.2", kUnmarked, 2000));
  EXPECT_TRUE(arrives(foreign_, gateway_, "10.4.0.1", kUnmarked, 2000));
  EXPECT_FALSE(arrives(outside_, inner_, "10.2.0.2", kUnmarked, kAllowed));
  one.drop_foreign_forward = true;
  load(one);
  const auto server = test::listen_tcp(outside_, "0.0.0.0", 8080);
  EXPECT_EQ(test::try_tcp(foreign_, "10.3.0.2", 8080, test::kSilence), Reach::silent);
}

TEST_F(FrameTraffic, OfOneCardIsJudgedAsPublicAndAsInner) {
  Frame one = frame();
  one.inner_interfaces = {"nlp0"};
  load(one);
  EXPECT_TRUE(arrives(outside_, gateway_, "10.3.0.1", kAllowed, kWireGuard));
  EXPECT_FALSE(arrives(outside_, gateway_, "10.3.0.1", kUnmarked, kWireGuard));
  EXPECT_FALSE(arrives(outside_, client_, "10.1.0.2", kUnmarked, kAllowed));
  EXPECT_TRUE(arrives(foreign_, outside_, "10.3.0.2", kUnmarked, 2000));
}

TEST_F(FrameTraffic, ThatTurnsAroundOnOneCardNeedsTheMark) {
  Frame one = frame();
  one.inner_interfaces = {"nlp0"};
  load(one);
  // 10.6.0.1 is the outside host itself, but only for what reaches it from the gateway.
  gateway_.must("ip route add 10.6.0.0/24 via 10.3.0.2");
  outside_.must("ip route add local 10.6.0.1 dev lo table 100");
  outside_.must("ip rule add iif eth0 lookup 100 priority 10");
  outside_.must("ip route add 10.6.0.0/24 via 10.3.0.1");
  outside_.must(
      "sysctl -qw net.ipv4.conf.eth0.accept_local=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0");
  EXPECT_FALSE(arrives(outside_, outside_, "10.6.0.1", kUnmarked, kAllowed));
}

TEST_F(FrameTraffic, WithoutThePolicyProgramIsBlockedNotOpen) {
  load(frame());
  gateway_.must("nft delete table inet marks");
  const auto listener = test::listen_tcp(inner_, "0.0.0.0", kAllowed);
  EXPECT_EQ(test::try_tcp(client_, "10.2.0.2", kAllowed, test::kSilence), Reach::silent);
}

}  // namespace
}  // namespace gw::nl
