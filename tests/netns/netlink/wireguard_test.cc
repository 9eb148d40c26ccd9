// SPDX-License-Identifier: Apache-2.0
#include "netlink/wireguard.h"

#include <linux/netlink.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tests/support/wireguard_contract.h"

namespace gw::test {
namespace {

// Which implementations this kernel offers is found out as the daemon finds it out.
std::vector<OpenWireGuard> offered() {
  std::vector<OpenWireGuard> out{&nl::open_userspace_wireguard};
  const Namespace apart;
  if (nl::open_kernel_wireguard()) out.push_back(&nl::open_kernel_wireguard);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Offered, WireGuardContract, testing::ValuesIn(offered()));

TEST(OpenWireGuard, PrefersTheKernelAndSaysSo) {
  const Namespace apart;
  const auto kernel = nl::open_kernel_wireguard();
  const auto chosen = nl::open_wireguard();
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_EQ((*chosen)->in_kernel(), kernel.has_value());
  EXPECT_EQ((*chosen)->implementation(), kernel ? "kernel" : "userspace (wireguard-go), not for production");
  EXPECT_TRUE(kernel || kernel.error().code == ENOTSUP);
}

TEST(OpenWireGuard, LeavesNoDeviceBehind) {
  const Namespace apart;
  ASSERT_TRUE(nl::open_wireguard());
  auto socket = nl::Socket::open(NETLINK_ROUTE).value();
  const auto links = nl::list_links(socket).value();
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].name, "lo");
}

// PATH while it lives.
class Path {
 public:
  explicit Path(const char* value) : old_(std::getenv("PATH")) { ::setenv("PATH", value, 1); }
  ~Path() { ::setenv("PATH", old_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string old_;
};

TEST(OpenWireGuard, WithoutAnyImplementationNamesBothPackages) {
  const Namespace apart;
  const Path empty("/nonexistent");
  EXPECT_EQ(nl::open_userspace_wireguard().error().code, ENOTSUP);
  const auto chosen = nl::open_wireguard();
  if (nl::open_kernel_wireguard()) {
    EXPECT_TRUE((*chosen)->in_kernel());
    return;
  }
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ENOTSUP);
  EXPECT_NE(chosen.error().message().find("linux-image-amd64"), std::string::npos);
  EXPECT_NE(chosen.error().message().find("package wireguard-go"), std::string::npos);
}

TEST(UserspaceWireGuard, PassesOnWhatTheProgramSaysWhenItCannotStart) {
  const Namespace apart;
  auto wireguard = nl::open_userspace_wireguard().value();
  const PeerNamespace beside;
  beside.inside([] { must("wireguard-go gwtest0"); });
  const auto refused = wireguard->create("gwtest0");
  EXPECT_EQ(refused.error().code, EIO);
  EXPECT_NE(refused.error().detail.find("unix socket in use"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(refused.error().detail.find("first class support"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(wireguard->read("gwtest0").error().code, ENODEV);
}

TEST(UserspaceWireGuard, TellsABusyPortOfADeviceThatIsUp) {
  const Namespace apart;
  auto wireguard = nl::open_userspace_wireguard().value();
  for (const char* name : {"gwtest0", "gwtest1"}) {
    ASSERT_TRUE(wireguard->create(name));
    must(std::string("ip link set up dev ") + name);
  }
  nl::WgChange port;
  port.listen_port = 51820;
  ASSERT_TRUE(wireguard->change("gwtest0", port));
  EXPECT_EQ(wireguard->change("gwtest1", port).error().code, EADDRINUSE);
  for (const char* name : {"gwtest0", "gwtest1"}) ASSERT_TRUE(wireguard->destroy(name));
}

TEST(UserspaceWireGuard, TakesTenThousandPeersInOneTransaction) {
  const Namespace apart;
  auto wireguard = nl::open_userspace_wireguard().value();
  ASSERT_TRUE(wireguard->create("gwtest0"));
  nl::WgChange filled;
  nl::WgChange emptied;
  for (uint32_t i = 0; i < 10'000; ++i) {
    PublicKey key;
    std::memcpy(key.bytes.data(), &i, sizeof i);
    key.bytes[31] = 1;
    filled.set[key].keepalive = 0;
    emptied.remove.insert(key);
  }
  ASSERT_TRUE(wireguard->change("gwtest0", filled));
  EXPECT_TRUE(wireguard->read("gwtest0")->peers == filled.set);
  ASSERT_TRUE(wireguard->change("gwtest0", emptied));
  EXPECT_TRUE(wireguard->read("gwtest0")->peers.empty());
  ASSERT_TRUE(wireguard->destroy("gwtest0"));
}

}  // namespace
}  // namespace gw::test
