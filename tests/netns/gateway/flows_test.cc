// SPDX-License-Identifier: Apache-2.0
// Flows that are open while the policy, a client's rights or the daemon change.
#include <sys/socket.h>

#include <thread>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kAllowWeb =
    "  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80, udp/5000]}\n";
constexpr const char* kDenyWeb = "  - {name: dev-web, action: deny, from: [group:developers], to: [subnet:web]}\n";

/// Both ends of an open TCP connection, which answers as long as packets pass.
struct Connection {
  Socket client, server;

  Connection(const Host& from, const Host& to, const std::string& address, uint16_t port) {
    const Socket listener = listen_tcp(to, address, port);
    client = connect_tcp(from, address, port);
    if (client.valid()) server = listener.accept();
  }
  [[nodiscard]] bool open() const { return client.valid() && server.valid(); }
  [[nodiscard]] bool up_passes(std::chrono::milliseconds limit = kPatience) const {
    return client.send("up") && server.receive(limit) == "up";
  }
  [[nodiscard]] bool down_passes(std::chrono::milliseconds limit = kPatience) const {
    return server.send("down") && client.receive(limit) == "down";
  }
};

class Flows : public RunningGateway {};

TEST_F(Flows, ARuleThatTurnsToDenyEndsAnOpenConnectionInBothDirections) {
  rules(kAllowWeb);
  const Connection up(alice(), lab().web(), kWeb4, 80);
  ASSERT_TRUE(up.open() && up.up_passes() && up.down_passes());
  const Connection down(alice(), lab().web(), kWeb4, 80);
  ASSERT_TRUE(down.open() && down.down_passes());
  rules(kDenyWeb);
  EXPECT_FALSE(up.up_passes(kSilence));
  EXPECT_FALSE(down.down_passes(kSilence));
}

TEST_F(Flows, ARuleThatTurnsToDenyEndsAnOpenUdpFlow) {
  rules(kAllowWeb);
  const Socket server = bind_udp(lab().web(), kWeb4, 5000);
  const Socket client = connect_udp(alice(), kWeb4, 5000);
  ASSERT_TRUE(client.send("one"));
  ASSERT_EQ(server.receive(), "one");
  rules(kDenyWeb);
  ASSERT_TRUE(client.send("two"));
  EXPECT_EQ(server.receive(kSilence), std::nullopt);
}

TEST_F(Flows, AnUnrelatedRuleChangeKeepsARunningDownload) {
  rules(kAllowWeb);
  const Connection download(alice(), lab().web(), kWeb4, 80);
  ASSERT_TRUE(download.open());
  constexpr size_t kChunks = 400;
  constexpr std::chrono::seconds kLongPause{30};  // nothing is read while the rules change
  const std::string chunk(8192, 'x');
  size_t received = 0;
  std::thread server([&] {
    size_t sent = 0;
    while (sent < kChunks && download.server.send(chunk, kLongPause)) ++sent;
    shutdown(download.server.fd(), SHUT_WR);
  });
  for (int change = 0; received < kChunks * chunk.size(); ++change) {
    const auto text = download.client.receive();
    if (!text || text->empty()) break;
    received += text->size();
    // Changes of the policy while the bytes flow: the allowing rule is renamed, others come and go.
    if (change == 20 || change == 60) {
      const std::string name = change == 20 ? "renamed" : "again";
      rules("  - {name: " + name +
            ", action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80]}\n" +
            "  - {name: extra, action: deny, from: [group:contractors], to: [subnet:data]}\n");
    }
  }
  server.join();
  EXPECT_EQ(received, kChunks * chunk.size());
}

TEST_F(Flows, RepliesGoOnAfterAPolicyChangeThoughTheReplyComesFirst) {
  rules(kAllowWeb);
  const Connection open(alice(), lab().web(), kWeb4, 80);
  ASSERT_TRUE(open.open() && open.up_passes());
  rules(std::string("  - {name: first, action: deny, from: [subnet:web], to: [vpn]}\n") + kAllowWeb);
  EXPECT_TRUE(open.down_passes());  // the original direction is judged, not the reply
  EXPECT_TRUE(open.up_passes());
}

TEST_F(Flows, LeavingAGroupEndsWhatTheGroupAllowed) {
  rules(kAllowWeb);
  const Connection open(carol(), lab().web(), kWeb4, 80);
  ASSERT_TRUE(open.open() && open.up_passes());
  lab().must_gwctl("client set carol --remove-group developers");
  EXPECT_FALSE(open.up_passes(kSilence));
  lab().must_gwctl("client set carol --add-group developers");
  EXPECT_TRUE(Connection(carol(), lab().web(), kWeb4, 80).open());
}

TEST_F(Flows, RevocationEndsOpenTcpAndUdpFlowsInBothDirections) {
  rules("  - {name: all, action: allow, from: [vpn], to: [subnet:web, subnet:data]}\n");
  Host& dave = lab().enrol("dave", "developers");
  const Connection up(dave, lab().web(), kWeb4, 80);
  const Connection down(dave, lab().data(), kData4, 81);
  const Socket udp_server = bind_udp(lab().web(), kWeb4, 5000);
  const Socket udp = connect_udp(dave, kWeb4, 5000);
  ASSERT_TRUE(up.open() && up.up_passes() && down.open() && down.down_passes());
  ASSERT_TRUE(udp.send("one"));
  ASSERT_EQ(udp_server.receive(), "one");
  lab().must_gwctl("client revoke dave");
  EXPECT_FALSE(up.up_passes(kSilence));
  EXPECT_FALSE(down.down_passes(kSilence));
  ASSERT_TRUE(udp.send("two"));
  EXPECT_EQ(udp_server.receive(kSilence), std::nullopt);
  EXPECT_EQ(try_ping(dave, "172.16.201.1", kSilence), Reach::silent);
  EXPECT_TRUE(Connection(alice(), lab().web(), kWeb4, 82).open());  // the others stay
  EXPECT_TRUE(Lab::eventually([] { return lab().gwctl("plan").out.find("othing to do") != std::string::npos; }));
}

TEST_F(Flows, ACrashAndARestartLoseNoPacketOfAnOpenFlow) {
  rules(kAllowWeb);
  const Connection open(alice(), lab().web(), kWeb4, 80);
  ASSERT_TRUE(open.open() && open.up_passes());
  Process pings = alice().start({"ping", "-n", "-i", "0.05", "-c", "80", "-W", "2", "172.16.201.1"},
                                lab().directory() + "/ping.log");
  lab().crash();
  EXPECT_TRUE(open.up_passes());  // without the daemon
  EXPECT_TRUE(open.down_passes());
  EXPECT_EQ(try_ping(alice(), kData4, kSilence), Reach::silent);  // and what was denied stays denied
  lab().start();
  EXPECT_TRUE(open.up_passes());
  EXPECT_EQ(pings.wait(std::chrono::seconds(20)), 0);
  const std::string log = read_file(lab().directory() + "/ping.log").value_or("");
  EXPECT_NE(log.find(" 0% packet loss"), std::string::npos) << log;
  EXPECT_NE(lab().must_gwctl("plan").find("othing to do"), std::string::npos);
}

}  // namespace
}  // namespace gw::test
