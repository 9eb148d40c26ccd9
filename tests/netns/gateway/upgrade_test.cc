// SPDX-License-Identifier: Apache-2.0
// Another gatewayd, whose maps have another layout, takes over and gives back, with flows open.
#include <fmt/core.h>

#include "bpf/abi.h"
#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kRules = R"(groups: {developers: {}}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80, udp/5000, icmp]}
)";

/// An HTTP server without a name service: ADDRESS BYTES.
constexpr const char* kServer = R"(
import socket, sys
listener = socket.create_server((sys.argv[1], 80))
while True:
    connection = listener.accept()[0]
    with connection:
        if not connection.recv(4096):
            continue
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: " + sys.argv[2].encode() + b"\r\n\r\n")
        for _ in range(int(sys.argv[2]) >> 16):
            connection.sendall(bytes(65536))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
)";

class Upgrade : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << std::endl;
  }
  /// The layouts that are pinned, a word each.
  std::string layouts() { return lab_.gateway().must("ls /run/bpf/gateway"); }
  void switch_to(const std::string& program) {
    lab_.stop();
    lab_.set_daemon(program);
    lab_.start();
  }
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Upgrade, GoesUpAndDownWithADownloadAndAnAnsweringFlowOpen) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  constexpr size_t kBytes = 48U << 20U;
  const Process server =
      lab_.web().start({"python3", "-c", kServer, kWeb4, std::to_string(kBytes)}, lab_.directory() + "/www.log");
  ASSERT_TRUE(Lab::eventually([&] { return try_tcp(alice, kWeb4, 80, kSilence) == Reach::open; }));
  const Socket echo = bind_udp(lab_.web(), kWeb4, 5000);
  const Socket udp = connect_udp(alice, kWeb4, 5000);
  ASSERT_TRUE(udp.send("before"));
  ASSERT_EQ(echo.receive(), "before");
  Process download = alice.start({"curl", "-s", "-S", "--limit-rate", "6M", "-o", "/dev/null", "-w", "%{size_download}",
                                  fmt::format("http://{}/image", kWeb4)},
                                 lab_.directory() + "/curl.log");

  switch_to("gatewayd_next");
  EXPECT_EQ(layouts(), "abi-900\n");
  EXPECT_TRUE(download.running()) << "too fast to show anything";
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
  EXPECT_EQ(try_ping(alice, kData4, kSilence), Reach::silent);
  ASSERT_TRUE(udp.send("up"));
  EXPECT_EQ(echo.receive(), "up");

  switch_to("gatewayd");
  EXPECT_EQ(layouts(), fmt::format("abi-{}\n", GW_ABI_VERSION));
  EXPECT_TRUE(download.running()) << "too fast to show anything";
  EXPECT_EQ(try_ping(alice, kData4, kSilence), Reach::silent);
  ASSERT_TRUE(udp.send("down"));
  EXPECT_EQ(echo.receive(), "down");
  EXPECT_EQ(download.wait(std::chrono::seconds(30)), 0);
  EXPECT_EQ(read_file(lab_.directory() + "/curl.log").value_or(""), std::to_string(kBytes));
  EXPECT_NE(lab_.must_gwctl("plan").find("othing to do"), std::string::npos);
}

TEST_F(Upgrade, ThatCannotFinishLeavesWhatItFoundAndClosesNothing) {
  lab_.configure(kRules);
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  lab_.stop();
  // Its frame cannot be loaded: not all is as it has to be, so the other layout stays for the way back.
  lab_.gateway().must("nft flush ruleset");
  lab_.set_daemon("gatewayd_next");
  lab_.gateway().must("mount --bind /bin/false /usr/sbin/nft");
  lab_.start();
  EXPECT_NE(layouts().find(fmt::format("abi-{}\n", GW_ABI_VERSION)), std::string::npos) << layouts();
  EXPECT_NE(layouts().find("abi-900\n"), std::string::npos) << layouts();
  lab_.gateway().must("umount /usr/sbin/nft");
  switch_to("gatewayd");
  EXPECT_EQ(layouts(), fmt::format("abi-{}\n", GW_ABI_VERSION));
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
}

}  // namespace
}  // namespace gw::test
