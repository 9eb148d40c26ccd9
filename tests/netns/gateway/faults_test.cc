// SPDX-License-Identifier: Apache-2.0
// What cannot work: each fault is told in a sentence that says what to do, and changes nothing.

#include <filesystem>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

class Faults : public testing::Test {
 protected:
  /// What is configured, without counters and without what IPv6 adds by its own timers.
  std::string kernel() {
    const Host& gateway = lab_.gateway();
    return gateway.must("ip -4 -br address") + gateway.must("nft -s list ruleset") +
           gateway.must("ip -4 route show table all");
  }
  /// Starts it, expects that it is refused with `words` and leaves the kernel as it was.
  void refused(const std::string& expected) {
    // The links' carriers have settled.
    ASSERT_TRUE(Lab::eventually([&] { return !lab_.gateway().must("ip -br link show dev eth0").contains("UNKNOWN"); }));
    const std::string before = kernel();
    const Output output = lab_.start_refused();
    EXPECT_GT(output.status, 0) << output.err;
    EXPECT_LT(output.status, 126) << output.err;
    EXPECT_NE(output.err.find(expected), std::string::npos) << output.err;
    EXPECT_EQ(kernel(), before);
  }
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Faults, ASecondDaemonOfTheSameInstanceIsRefused) {
  lab_.configure("");
  lab_.start();
  refused("runs already");
  EXPECT_TRUE(lab_.running());
}

TEST_F(Faults, WithoutCapNetAdminItSaysSo) {
  lab_.configure("");
  Arguments command{"setpriv",
                    "--bounding-set",
                    "-net_admin",
                    "--inh-caps",
                    "-net_admin",
                    "env",
                    "DBUS_SYSTEM_BUS_ADDRESS=" + lab_.bus_address()};
  for (const auto& word : lab_.daemon_command()) command.push_back(word);
  const std::string before = kernel();
  const Output output = lab_.gateway().run(command);
  EXPECT_GT(output.status, 0);
  EXPECT_NE(output.err.find("CAP_NET_ADMIN"), std::string::npos) << output.err;
  EXPECT_EQ(kernel(), before);
}

TEST_F(Faults, WithoutABpfFileSystemItSaysHowToMountOne) {
  lab_.configure("");
  lab_.set_bpffs(lab_.directory());
  refused("mount -t bpf");
}

TEST_F(Faults, ABusyPortIsNamedAndMendsItselfWhenItIsFree) {
  lab_.configure("");
  {
    const Socket other = bind_udp(lab_.gateway(), "0.0.0.0", 51820);
    lab_.start();
    const std::string status = lab_.must_gwctl("status");
    EXPECT_NE(status.find("51820"), std::string::npos) << status;
    EXPECT_NE(status.find("listen_port"), std::string::npos) << status;
    const Output health = lab_.gwctl("status --health");
    EXPECT_EQ(health.status, 1);
    // Userspace WireGuard refuses the port, the kernel's to come up.
    EXPECT_TRUE(health.err.find("listen port 51820") != std::string::npos ||
                health.err.find("link wg0: up") != std::string::npos)
        << health.err;
  }
  EXPECT_TRUE(Lab::eventually([&] { return lab_.gwctl("plan").out.find("othing to do") != std::string::npos; },
                              std::chrono::seconds(40)));
  EXPECT_EQ(lab_.gwctl("status --health").status, 0);
}

TEST_F(Faults, AMissingInterfaceStopsOnlyItsOwnSubnetUntilItAppears) {
  // Linux before 6.2 renames only what is down.
  lab_.gateway().must("ip link set eth2 down");
  lab_.gateway().must("ip link set eth2 name gone");
  lab_.configure("groups: {developers: {}}\nrules:\n  - {name: all, action: allow, from: [vpn], to: [any]}\n");
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  EXPECT_EQ(try_ping(alice, "10.1.1.10"), Reach::open);
  EXPECT_NE(lab_.must_gwctl("status").find("eth2"), std::string::npos);
  EXPECT_EQ(lab_.must_gwctl("status --health"), "The gateway is healthy.\n") << "one card is not the gateway";
  lab_.gateway().must("ip link set gone down");
  lab_.gateway().must("ip link set gone name eth2");
  lab_.gateway().must("ip link set eth2 up");
  EXPECT_TRUE(
      Lab::eventually([&] { return try_ping(alice, "10.1.2.10", kSilence) == Reach::open; }, std::chrono::seconds(20)));
}

TEST_F(Faults, ADamagedRegistryIsRefusedAndLeftAlone) {
  lab_.configure("");
  lab_.start();
  lab_.stop();
  const std::string path = lab_.state_directory() + "/registry.db";
  ASSERT_TRUE(std::filesystem::exists(path));
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path + suffix);
  ASSERT_TRUE(write_file_atomically(path, std::string(8192, 'x'), 0600));
  const Output output = lab_.start_refused();
  EXPECT_GT(output.status, 0);
  EXPECT_NE(output.err.find("registry"), std::string::npos) << output.err;
  EXPECT_NE(output.err.find("restore"), std::string::npos) << output.err;
  EXPECT_EQ(read_file(path), std::string(8192, 'x'));
}

TEST_F(Faults, ABrokenFileIsRefusedWithItsPlaceAndTheGatewayGoesOn) {
  lab_.configure("groups: {developers: {}}\nrules:\n  - {name: web, action: allow, from: [vpn], to: [subnet:web]}\n");
  lab_.start();
  Host& alice = lab_.enrol("alice", "developers");
  const std::string before = kernel();
  lab_.configure("rules:\n  - {name: web, action: alow, from: [vpn], to: [subnet:wbe]}\n");
  const Output output = lab_.gwctl("apply");
  EXPECT_EQ(output.status, 1);
  EXPECT_NE(output.err.find("gateway.yaml:12:"), std::string::npos) << output.err;
  EXPECT_NE(output.err.find("did you mean"), std::string::npos) << output.err;
  EXPECT_EQ(kernel(), before);
  EXPECT_EQ(try_ping(alice, "10.1.1.10"), Reach::open);
  lab_.crash();
  lab_.start();  // edited and not applied: the stored intent counts
  EXPECT_EQ(try_ping(alice, "10.1.1.10"), Reach::open);
}

TEST_F(Faults, ANameThatIsTakenAndAPoolThatIsFullAreRefused) {
  lab_.write_file("gateway.yaml", R"(gateway: {name: tiny, public: {interface: eth0, endpoint: "5.5.5.1:51820"}}
vpn: {subnets: [172.16.201.0/29]}
network: {address_space: [10.1.0.0/16]}
)");
  lab_.start();
  const auto add = [&](const std::string& name) {
    return lab_.gwctl("client add " + name + " --out " + lab_.directory() + "/" + name + ".conf");
  };
  for (const char* name : {"one", "two", "three", "four"}) EXPECT_TRUE(add(name).ok()) << name;
  const Output full = add("five");
  EXPECT_EQ(full.status, 1);
  EXPECT_NE(full.err.find("all 4 addresses of 172.16.201.0/29"), std::string::npos) << full.err;
  EXPECT_FALSE(std::filesystem::exists(lab_.directory() + "/five.conf"));
  const Output twice = lab_.gwctl("client add two --out " + lab_.directory() + "/other.conf");
  EXPECT_EQ(twice.status, 1);
  EXPECT_NE(twice.err.find("two"), std::string::npos) << twice.err;
}

}  // namespace
}  // namespace gw::test
