// SPDX-License-Identifier: Apache-2.0
// Established flows between subnets, past the stack: what passes, what is counted, and what ends it.
// linux/errqueue.h needs the types of time.h before it.
// clang-format off
#include <ctime>
#include <linux/errqueue.h>
// clang-format on
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kData6 = "fd10:1:2::10";
constexpr uint16_t kPort = 5000;
constexpr int kDatagrams = 200;
constexpr const char* kOn = "dataplane: {fast_path: on}\n";
constexpr const char* kAllow =
    "rules:\n  - {name: web-data, action: allow, from: [subnet:web], to: [subnet:data], services: [udp/5000, "
    "tcp/5000]}\n";

/// A gateway whose cards can: veth takes redirected frames while the other end polls, and senders finish their
/// checksums. What still goes through the stack is counted there by a table that is not ours.
class FastPath : public testing::Test {
 protected:
  FastPath() {
    for (Host* host : {&lab_.web(), &lab_.data()}) host->must("ethtool -K eth0 gro on tx off");
    lab_.configure(std::string(kOn) + kAllow);
    lab_.start();
    lab_.gateway().must(Arguments{"nft",
                                  "add table inet watch; add counter inet watch slow; add chain inet watch forward "
                                  "{ type filter hook forward priority -300; }; add rule inet watch forward counter "
                                  "name slow"});
    lab_.data().must(Arguments{"nft",
                               "add table inet watch; add counter inet watch hop; add chain inet watch input { type "
                               "filter hook input priority -300; }; add rule inet watch input udp dport 5000 ip ttl 63 "
                               "counter name hop; add rule inet watch input udp dport 5000 ip6 hoplimit 63 counter "
                               "name hop"});
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << lab_.gwctl("status").out << std::endl;
  }

  static uint64_t counter(const Host& host, const std::string& name) {
    const std::string text = host.must("nft list counter inet watch " + name);
    return std::stoull(text.substr(text.find("packets") + 8));
  }
  uint64_t slow() { return counter(lab_.gateway(), "slow"); }

  /// How many of `count` datagrams were answered.
  static int talk(const Socket& socket, int count) {
    int answers = 0;
    for (int i = 0; i < count; ++i) {
      if (socket.send("?") && socket.receive(kSilence)) ++answers;
    }
    return answers;
  }

  /// Type of the ICMP error that the socket was told; -1 when none came.
  static int icmp_type_of_error(const Socket& socket) {
    pollfd wait{.fd = socket.fd(), .events = 0, .revents = 0};
    if (poll(&wait, 1, static_cast<int>(kPatience.count())) != 1) return -1;
    std::array<char, 256> control{};
    std::array<char, 64> data{};
    iovec part{.iov_base = data.data(), .iov_len = data.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(socket.fd(), &message, MSG_ERRQUEUE) < 0) return -1;
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(head), sizeof error);
    return error.ee_origin == SO_EE_ORIGIN_ICMP ? error.ee_type : -1;
  }

  Lab lab_{GW_BINARY_DIR};
};

TEST_F(FastPath, TakesEstablishedFlowsOfBothFamiliesPastTheStack) {
  EXPECT_NE(lab_.must_gwctl("status").find("fast path   eth1, eth2"), std::string::npos);
  for (const char* address : {kData4, kData6}) {
    const UdpEcho echo(lab_.data(), address, kPort);
    const Socket socket = connect_udp(lab_.web(), address, kPort);
    // Addresses of IPv6 are tentative for a moment (RFC 4862).
    ASSERT_TRUE(Lab::eventually([&] { return talk(socket, 2) == 2; })) << address;
    const uint64_t before = slow();
    const uint64_t hops = counter(lab_.data(), "hop");
    EXPECT_EQ(talk(socket, kDatagrams), kDatagrams) << address;
    EXPECT_LT(slow() - before, 10U) << address << ": only its first packets are judged";
    EXPECT_EQ(counter(lab_.data(), "hop") - hops, kDatagrams) << address << ": each lost one hop";
  }
}

TEST_F(FastPath, CountsWhatItForwardsAsThePolicyDoes) {
  const UdpEcho echo(lab_.data(), kData4, kPort);
  const Socket socket = connect_udp(lab_.web(), kData4, kPort);
  ASSERT_EQ(talk(socket, kDatagrams), kDatagrams);
  const std::string rules = lab_.must_gwctl("--json rule list");
  EXPECT_NE(rules.find("\"packets\": " + std::to_string(2 * kDatagrams)), std::string::npos) << rules;
}

TEST_F(FastPath, EndsWithTheRuleThatAllowedTheFlow) {
  const UdpEcho echo(lab_.data(), kData4, kPort);
  const Socket socket = connect_udp(lab_.web(), kData4, kPort);
  ASSERT_EQ(talk(socket, 5), 5);
  lab_.reconfigure(std::string(kOn) +
                   "rules:\n  - {name: none, action: deny, from: [subnet:web], to: [subnet:data]}\n");
  EXPECT_EQ(talk(socket, 2), 0);
  lab_.reconfigure(std::string(kOn) + kAllow);
  EXPECT_EQ(talk(socket, 5), 5);
}

TEST_F(FastPath, LeavesAPacketWithoutHopsLeftToTheStackWhichTellsTheSender) {
  const UdpEcho echo(lab_.data(), kData4, kPort);
  const Socket socket = connect_udp(lab_.web(), kData4, kPort);
  ASSERT_EQ(talk(socket, 5), 5);
  const int one = 1;
  ASSERT_EQ(setsockopt(socket.fd(), IPPROTO_IP, IP_TTL, &one, sizeof one), 0);
  ASSERT_EQ(setsockopt(socket.fd(), IPPROTO_IP, IP_RECVERR, &one, sizeof one), 0);
  ASSERT_TRUE(socket.send("?"));
  EXPECT_EQ(icmp_type_of_error(socket), ICMP_TIME_EXCEEDED);
}

TEST_F(FastPath, GivesWayLoudlyWhenADriverLosesFrames) {
  const UdpEcho echo(lab_.data(), kData4, kPort);
  const Socket socket = connect_udp(lab_.web(), kData4, kPort);
  ASSERT_EQ(talk(socket, 5), 5);
  lab_.data().must("ethtool -K eth0 gro off");
  EXPECT_TRUE(Lab::eventually([&] { return talk(socket, 3) == 3; }, std::chrono::seconds(30)));
  EXPECT_TRUE(Lab::eventually([&] { return lab_.log().find("- program XDP on eth1") != std::string::npos; }));
  EXPECT_NE(lab_.must_gwctl("status").find("fast path   off ("), std::string::npos);
}

TEST_F(FastPath, IsOffWhereTheConfigurationSaysSo) {
  lab_.reconfigure(std::string(kAllow) + "dataplane: {fast_path: off}\n");
  EXPECT_NE(lab_.must_gwctl("status").find("fast path   off (by configuration)"), std::string::npos);
  const UdpEcho echo(lab_.data(), kData4, kPort);
  const Socket socket = connect_udp(lab_.web(), kData4, kPort);
  const uint64_t before = slow();
  EXPECT_EQ(talk(socket, 10), 10);
  EXPECT_EQ(slow() - before, 20U);
}

}  // namespace
}  // namespace gw::test
