// SPDX-License-Identifier: Apache-2.0
// A profile for systemd-networkd, taken by a real one, which makes WireGuard devices of the kernel only.
#include <gtest/gtest.h>

#include <csignal>
#include <iostream>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/support/sockets.h"

namespace gw::test {
namespace {

class Networkd : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) +
                   "rules:\n  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: "
                   "[icmp]}\n");
    lab_.start();
  }
  void TearDown() override {
    networkd_.end(SIGTERM);
    if (HasFailure()) std::cerr << read_file(log()).value_or("") << lab_.log() << '\n';
  }
  /// Installs the profile as gwctl says, and starts systemd-networkd on the host. Where /sys is read-only it does not
  /// wait for udev, which looks after no other network namespace.
  void take_profile(Host& host, const std::string& name) {
    const std::string files = lab_.directory() + "/" + name + ".netdev " + lab_.directory() + "/" + name + ".network";
    networkd_ =
        host.start({"unshare", "-m", "sh", "-ec",
                    "mount --bind /sys /sys; mount -o remount,bind,ro /sys; mkdir -p /run/systemd; mount -t tmpfs "
                    "tmpfs /run/systemd; "
                    "mkdir /run/systemd/network /run/systemd/netif; chown systemd-network: /run/systemd/netif; "
                    "install -m 640 -g systemd-network " +
                        files + " /run/systemd/network/; SYSTEMD_LOG_LEVEL=info exec /lib/systemd/systemd-networkd"},
                   log());
  }
  [[nodiscard]] std::string log() const { return lab_.directory() + "/networkd.log"; }

  Lab lab_{GW_BINARY_DIR};
  Process networkd_;
};

TEST_F(Networkd, TakesASplitProfileAndTheTunnelIsUp) {
  lab_.must_gwctl("client add desk --group developers --format networkd --out " + lab_.directory() + "/desk.netdev");
  Host& desk = lab_.attach("desk");
  take_profile(desk, "desk");
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(desk, "10.1.1.10", std::chrono::seconds(1)) == Reach::open; }));
  EXPECT_FALSE(desk.run(words("ping -c1 -W1 10.1.2.10")).ok()) << "no rule allows it";
  const std::string routes = desk.run(words("ip route show dev desk")).out;
  EXPECT_NE(routes.find("10.1.1.0/24"), std::string::npos) << routes;
  EXPECT_EQ(routes.find("default"), std::string::npos) << routes;
  const std::string addresses = desk.run(words("ip -6 address show dev desk")).out;
  EXPECT_NE(addresses.find(lab_.address("desk", 6)), std::string::npos) << addresses;
}

TEST_F(Networkd, TakesAFullProfileAndItsOwnPacketsGoOutside) {
  lab_.must_gwctl("client add desk --group developers --tunnel full --format networkd --out " + lab_.directory() +
                  "/desk.netdev");
  Host& desk = lab_.attach("desk");
  take_profile(desk, "desk");
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(desk, "10.1.1.10", std::chrono::seconds(1)) == Reach::open; }));
  const std::string route = desk.run(words("ip route get 9.9.9.9")).out;
  EXPECT_NE(route.find("dev desk"), std::string::npos) << route;
  const std::string marked = desk.run(words("ip route get 5.5.5.1 mark 51820")).out;
  EXPECT_NE(marked.find("dev eth0"), std::string::npos) << marked;
}

}  // namespace
}  // namespace gw::test
