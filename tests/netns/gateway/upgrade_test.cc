// SPDX-License-Identifier: Apache-2.0
// Another gatewayd, whose maps have another layout, takes over and gives back, with flows open.
#include <fmt/core.h>

#include <algorithm>

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

/// An HTTP server without a name service: ADDRESS FILE. It sends until the file exists, and says how many bytes.
constexpr const char* kServer = R"(
import os, socket, sys
listener = socket.create_server((sys.argv[1], 80))
while True:
    connection = listener.accept()[0]
    with connection:
        if not connection.recv(4096):
            continue
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        sent = 0
        while not os.path.exists(sys.argv[2]):
            connection.sendall(bytes(65536))
            sent += 65536
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        print(sent, end="", flush=True)
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
  const std::string finish = lab_.directory() + "/finish";
  const Process server = lab_.web().start({"python3", "-c", kServer, kWeb4, finish}, lab_.directory() + "/www.log");
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
  EXPECT_TRUE(download.running());
  EXPECT_EQ(try_ping(alice, kWeb4), Reach::open);
  EXPECT_EQ(try_ping(alice, kData4, kSilence), Reach::silent);
  ASSERT_TRUE(udp.send("up"));
  EXPECT_EQ(echo.receive(), "up");

  switch_to("gatewayd");
  EXPECT_EQ(layouts(), fmt::format("abi-{}\n", GW_ABI_VERSION));
  EXPECT_TRUE(download.running());
  EXPECT_EQ(try_ping(alice, kData4, kSilence), Reach::silent);
  ASSERT_TRUE(udp.send("down"));
  EXPECT_EQ(echo.receive(), "down");
  ASSERT_TRUE(write_file_atomically(finish, "", 0644));
  EXPECT_EQ(download.wait(std::chrono::seconds(30)), 0);
  const std::string got = read_file(lab_.directory() + "/curl.log").value_or("");
  EXPECT_GT(std::stoull(got), 1U << 20U);
  EXPECT_TRUE(Lab::eventually([&] { return read_file(lab_.directory() + "/www.log").value_or("") == got; }))
      << got << " bytes came of " << read_file(lab_.directory() + "/www.log").value_or("");
  EXPECT_NE(lab_.must_gwctl("plan").find("othing to do"), std::string::npos);
}

TEST_F(Upgrade, PutsItsProgramsIntoTheDriversInPlaceOfTheOld) {
  // A veth takes redirected frames while its other end polls.
  for (Host* host : {&lab_.web(), &lab_.data()}) host->must("ethtool -K eth0 gro on tx off");
  lab_.configure(
      "guard: {hook: xdp}\ndataplane: {fast_path: on}\nrules:\n  - {name: web-data, action: allow, from: [subnet:web], "
      "to: [subnet:data], services: [udp/5000]}\n");
  lab_.start();
  const auto programs = [&] {
    std::vector<std::string> out;
    for (const char* device : {"eth0", "eth1", "eth2"}) {
      const std::string text = lab_.gateway().must(std::string("ip link show ") + device);
      const size_t at = text.find("prog/xdp id");
      out.push_back(at == std::string::npos ? "none" : text.substr(at, text.find(" name", at) - at));
    }
    return out;
  };
  const UdpEcho echo(lab_.data(), kData4, 5000);
  const Socket web = connect_udp(lab_.web(), kData4, 5000);
  const auto answered = [&] { return web.send("?") && web.receive(kSilence).has_value(); };
  ASSERT_TRUE(Lab::eventually(answered));
  for (const char* daemon : {"gatewayd_next", "gatewayd"}) {
    const auto before = programs();
    EXPECT_EQ(std::ranges::count(before, "none"), 0);
    lab_.stop();
    EXPECT_EQ(programs(), before) << "they stay without gatewayd";
    EXPECT_TRUE(answered());
    lab_.set_daemon(daemon);
    lab_.start();
    const auto after = programs();
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NE(after[i], before[i]) << i;
    EXPECT_EQ(std::ranges::count(after, "none"), 0);
    EXPECT_TRUE(Lab::eventually(answered));
    EXPECT_NE(lab_.must_gwctl("status").find("guard XDP"), std::string::npos);
    EXPECT_NE(lab_.must_gwctl("plan").find("othing to do"), std::string::npos);
  }
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
