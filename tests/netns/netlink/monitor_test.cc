// SPDX-License-Identifier: Apache-2.0
#include "netlink/monitor.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <set>

#include "netlink/address.h"
#include "netlink/route.h"
#include "netlink/rule.h"
#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

using What = Monitor::What;
using testing::Contains;
using testing::Not;

// The kernel tells some things later from its work queue (carrier, IPv6 addresses), also of making the test's devices:
// so no test expects a kind not to come that those could bring.
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
  const auto nothing = told();
  for (const What what : {What::filter, What::nftables, What::overrun}) EXPECT_THAT(nothing, Not(Contains(what)));
}

TEST_F(KernelMonitor, TellsOfLinks) {
  ASSERT_TRUE(set_link_alias(socket_, device_, "x"));
  EXPECT_TRUE(is_readable(monitor_.route_fd()));
  EXPECT_THAT(told(), Contains(What::link));
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
    EXPECT_THAT(told(), Contains(What::route)) << dst;
    ASSERT_TRUE(delete_route(socket_, route));
    EXPECT_THAT(told(), Contains(What::route)) << dst;
  }
}

TEST_F(KernelMonitor, TellsOfRulesAsOfRoutes) {
  told();
  const Rule rule{.family = Family::v6, .priority = 100, .table = 77, .protocol = kRouteProtocol};
  ASSERT_TRUE(add_rule(socket_, rule));
  EXPECT_TRUE(wait_for(What::route).contains(What::route));
}

TEST_F(KernelMonitor, TellsOfFilters) {
  test::must("tc qdisc add dev nlt0 clsact");
  EXPECT_THAT(told(), Contains(What::filter));
  test::must({"tc", "filter", "add", "dev", "nlt0", "ingress", "bpf", "bytecode", "1,6 0 0 0,"});
  EXPECT_THAT(told(), Contains(What::filter));
  test::must("tc qdisc del dev nlt0 clsact");
  EXPECT_THAT(told(), Contains(What::filter));
}

TEST_F(KernelMonitor, TellsOfNftablesAndOfAFlush) {
  test::must("nft add table inet foreign");
  EXPECT_TRUE(is_readable(monitor_.nftables_fd()));
  EXPECT_THAT(told(), Contains(What::nftables));
  test::must("nft flush ruleset");
  EXPECT_THAT(told(), Contains(What::nftables));
}

TEST_F(KernelMonitor, TellsEachKindOnceHoweverMuchChanged) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(set_link_alias(socket_, device_, std::to_string(i)));
  EXPECT_THAT(told(), Contains(What::link).Times(1));
}

TEST_F(KernelMonitor, TellsOnceThatItLostSomethingAndThenGoesOn) {
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(set_link_alias(socket_, device_, std::to_string(i)));
  EXPECT_THAT(told(), Contains(What::overrun).Times(1));
  EXPECT_THAT(told(), Not(Contains(What::overrun)));
  ASSERT_TRUE(set_link_alias(socket_, device_, "again"));
  EXPECT_THAT(told(), Contains(What::link));
}

TEST_F(KernelMonitor, DoesNotTellOfOtherNamespaces) {
  const test::PeerNamespace beside;
  beside.inside([] {
    test::must("tc qdisc add dev lo clsact");
    test::must("nft add table inet foreign");
  });
  const auto nothing = told();
  EXPECT_THAT(nothing, Not(Contains(What::filter)));
  EXPECT_THAT(nothing, Not(Contains(What::nftables)));
}

}  // namespace
}  // namespace gw::nl
