// SPDX-License-Identifier: Apache-2.0
#include "netlink/monitor.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <set>

#include "netlink/address.h"
#include "netlink/route.h"
#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

using What = Monitor::What;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class KernelMonitor : public NetlinkTest {
 protected:
  KernelMonitor() { told(); }  // what making the devices brought

  std::vector<What> told() {
    std::vector<What> out;
    const auto done = monitor_.drain([&](What what) { out.push_back(what); });
    EXPECT_TRUE(done) << done.error().message();
    return out;
  }
  // Some notices come from the kernel's work queue, after the call that caused them has returned.
  std::set<What> wait_for(What wanted) {
    std::set<What> out;
    pollfd one{monitor_.route_fd(), POLLIN, 0};
    while (!out.contains(wanted) && ::poll(&one, 1, 5000) == 1) {
      for (const What what : told()) out.insert(what);
    }
    return out;
  }
  static bool is_readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
  }

  uint32_t device_ = add_veth("nlt0", "nlt1");
  Monitor monitor_ = Monitor::open().value();
};

TEST_F(KernelMonitor, IsSilentWhileNothingChanges) {
  EXPECT_FALSE(is_readable(monitor_.nftables_fd()));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KernelMonitor, TellsOfLinks) {
  ASSERT_TRUE(set_link_alias(socket_, device_, "x"));
  EXPECT_TRUE(is_readable(monitor_.route_fd()));
  EXPECT_THAT(told(), Contains(What::link));
  EXPECT_FALSE(is_readable(monitor_.route_fd()));
}

TEST_F(KernelMonitor, TellsOfAddresses) {
  for (const char* text : {"10.9.0.1", "fd00::1"}) {
    const Address address{device_, ip(text), 24, 0};
    ASSERT_TRUE(add_address(socket_, address));
    EXPECT_THAT(wait_for(What::address), Contains(What::address)) << text;
    ASSERT_TRUE(delete_address(socket_, address));
    EXPECT_THAT(wait_for(What::address), Contains(What::address)) << text;
  }
}

TEST_F(KernelMonitor, TellsOfRoutes) {
  for (const char* dst : {"10.20.0.0/16", "fd20::/32"}) {
    const Route route{prefix(dst), std::nullopt, device_, 254, kRouteProtocol, 0};
    ASSERT_TRUE(add_route(socket_, route));
    EXPECT_THAT(told(), ElementsAre(What::route)) << dst;
    ASSERT_TRUE(delete_route(socket_, route));
    EXPECT_THAT(told(), ElementsAre(What::route)) << dst;
  }
}

TEST_F(KernelMonitor, TellsOfFilters) {
  test::must("tc qdisc add dev nlt0 clsact");
  EXPECT_THAT(told(), Contains(What::filter));
  test::must({"tc", "filter", "add", "dev", "nlt0", "ingress", "bpf", "bytecode", "1,6 0 0 0,"});
  EXPECT_THAT(told(), ElementsAre(What::filter));
  test::must("tc qdisc del dev nlt0 clsact");
  EXPECT_THAT(told(), Contains(What::filter));
}

TEST_F(KernelMonitor, TellsOfNftablesAndOfAFlush) {
  test::must("nft add table inet foreign");
  EXPECT_TRUE(is_readable(monitor_.nftables_fd()));
  EXPECT_THAT(told(), ElementsAre(What::nftables));
  test::must("nft flush ruleset");
  EXPECT_THAT(told(), ElementsAre(What::nftables));
}

TEST_F(KernelMonitor, TellsEachKindOnceHoweverMuchChanged) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(set_link_alias(socket_, device_, std::to_string(i)));
  EXPECT_THAT(told(), ElementsAre(What::link));
}

TEST_F(KernelMonitor, TellsOnceThatItLostSomethingAndThenGoesOn) {
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(set_link_alias(socket_, device_, std::to_string(i)));
  EXPECT_THAT(told(), Contains(What::overrun));
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(set_link_alias(socket_, device_, "again"));
  EXPECT_THAT(told(), ElementsAre(What::link));
}

TEST_F(KernelMonitor, DoesNotTellOfOtherNamespaces) {
  const test::PeerNamespace beside;
  beside.inside([] {
    test::must("ip link add nlx0 type veth peer name nlx1");
    test::must("nft add table inet foreign");
  });
  EXPECT_THAT(told(), IsEmpty());
}

}  // namespace
}  // namespace gw::nl
