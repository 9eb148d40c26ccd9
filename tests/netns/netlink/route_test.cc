// SPDX-License-Identifier: Apache-2.0
#include "netlink/route.h"

#include <algorithm>
#include <cerrno>

#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

class Routes : public NetlinkTest {
 protected:
  Routes() {
    test::must("ip address add 10.9.0.1/24 dev nlt0");
    test::must("ip -6 address add fd00::1/64 dev nlt0 nodad");
  }
  Route route(const char* dst, const char* via = nullptr, uint32_t metric = 0) {
    Route out;
    out.dst = prefix(dst);
    if (via != nullptr) out.via = ip(via);
    out.oif = device_;
    out.protocol = kRouteProtocol;
    out.metric = metric;
    return out;
  }
  std::vector<Route> ours() { return list_routes(socket_, kRouteProtocol).value(); }

  uint32_t device_ = add_veth("nlt0", "nlt1");
};

TEST_F(Routes, AreReadBackAsTheyWereWritten) {
  const std::vector<Route> wanted = {
      route("10.20.0.0/16"), route("10.21.0.0/16", "10.9.0.2"), route("10.21.0.0/16", "10.9.0.3", 50),
      route("fd20::/32"),    route("fd21::/32", "fd00::2"),     route("fd21::/32", "fd00::3", 50)};
  for (const auto& one : wanted) {
    const auto added = add_route(socket_, one);
    ASSERT_TRUE(added) << added.error().message();
  }
  EXPECT_TRUE(std::ranges::is_permutation(ours(), wanted));
  for (const auto& one : wanted) ASSERT_TRUE(delete_route(socket_, one));
  EXPECT_TRUE(ours().empty());
}

TEST_F(Routes, OfAHighTableKeepItsNumber) {
  Route high = route("10.20.0.0/16");
  high.table = 70000;
  ASSERT_TRUE(add_route(socket_, high));
  EXPECT_EQ(ours(), std::vector{high});
  ASSERT_TRUE(delete_route(socket_, high));
}

TEST_F(Routes, ToEverywhereHaveLengthZero) {
  for (const auto& one : {route("0.0.0.0/0", "10.9.0.2"), route("::/0", "fd00::2")}) {
    ASSERT_TRUE(add_route(socket_, one));
    EXPECT_EQ(ours(), std::vector{one});
    ASSERT_TRUE(delete_route(socket_, one));
  }
}

TEST_F(Routes, ThatRefuseAreReadBackToo) {
  std::vector<Route> wanted;
  for (const char* dst : {"0.0.0.0/0", "::/0"}) {
    Route refusing = route(dst, nullptr, 4000);
    refusing.oif = 0;
    refusing.table = 26480;
    refusing.unreachable = true;
    wanted.push_back(refusing);
  }
  for (const auto& one : wanted) {
    const auto added = add_route(socket_, one);
    ASSERT_TRUE(added) << added.error().message();
  }
  EXPECT_EQ(ours(), wanted);
  EXPECT_NE(test::must("ip route show table 26480").find("unreachable default"), std::string::npos);
  for (const auto& one : wanted) ASSERT_TRUE(delete_route(socket_, one));
  EXPECT_TRUE(ours().empty());
}

TEST_F(Routes, OfAnotherProtocolAreNeitherListedNorDeleted) {
  test::must("ip route add 10.20.0.0/16 dev nlt0 proto static");
  test::must("ip -6 route add fd20::/32 dev nlt0 proto static");
  EXPECT_TRUE(ours().empty());
  EXPECT_EQ(delete_route(socket_, route("10.20.0.0/16")).error().code, ESRCH);
  EXPECT_EQ(delete_route(socket_, route("fd20::/32")).error().code, ESRCH);
  EXPECT_NE(test::must("ip route show 10.20.0.0/16"), "");
  EXPECT_NE(test::must("ip -6 route show fd20::/32"), "");
  const auto everyones = list_routes(socket_, 0).value();
  EXPECT_TRUE(std::ranges::any_of(everyones, [&](const Route& one) { return one.dst == prefix("10.20.0.0/16"); }));
}

TEST_F(Routes, WithoutAProtocolCannotBeDeleted) {
  test::must("ip route add 10.20.0.0/16 dev nlt0 proto static");
  Route anyones = route("10.20.0.0/16");
  anyones.protocol = 0;
  EXPECT_EQ(delete_route(socket_, anyones).error().code, EINVAL);
  EXPECT_NE(test::must("ip route show 10.20.0.0/16"), "");
}

TEST_F(Routes, ThatSomeoneHasAreNotReplaced) {
  test::must("ip route add 10.20.0.0/16 via 10.9.0.9 proto static");
  test::must("ip -6 route add fd20::/32 via fd00::9 proto static");
  EXPECT_EQ(add_route(socket_, route("10.20.0.0/16")).error().code, EEXIST);
  EXPECT_EQ(add_route(socket_, route("fd20::/32")).error().code, EEXIST);
  EXPECT_NE(test::must("ip route show 10.20.0.0/16").find("via 10.9.0.9"), std::string::npos);
  EXPECT_NE(test::must("ip -6 route show fd20::/32").find("via fd00::9"), std::string::npos);
}

TEST_F(Routes, ByANeighbourThatCannotBeReachedAreRefusedInTheKernelsWords) {
  const auto refused = add_route(socket_, route("10.20.0.0/16", "192.0.2.1"));
  EXPECT_EQ(refused.error().code, ENETUNREACH);
  EXPECT_EQ(refused.error().detail, "Nexthop has invalid gateway");
  EXPECT_EQ(refused.error().object, "10.20.0.0/16 via 192.0.2.1 on device number " + std::to_string(device_));
}

TEST_F(Routes, OfSeveralNextHopsAreListedOncePerNextHop) {
  test::must("ip route add 10.20.0.0/16 proto 103 nexthop via 10.9.0.2 dev nlt0 nexthop via 10.9.0.3 dev nlt0");
  EXPECT_TRUE(std::ranges::is_permutation(
      ours(), std::vector{route("10.20.0.0/16", "10.9.0.2"), route("10.20.0.0/16", "10.9.0.3")}));
}

TEST_F(Routes, ThatForwardNothingAreLeftOut) {
  test::must("ip route add blackhole 10.20.0.0/16 proto 103");
  test::must("ip -6 route add blackhole fd20::/32 proto 103");
  EXPECT_TRUE(ours().empty());
}

TEST_F(Routes, OfIPv4ThroughAnIPv6NeighbourKeepIt) {
  const Route mixed = route("10.20.0.0/16", "fd00::2");
  ASSERT_TRUE(add_route(socket_, mixed));
  EXPECT_EQ(ours(), std::vector{mixed});
  ASSERT_TRUE(delete_route(socket_, mixed));
}

TEST_F(Routes, AreReadWholeWhenThereAreMoreThanOneMessageHolds) {
  std::string batch;
  for (int i = 0; i < 2000; ++i) {
    batch +=
        "route add 10." + std::to_string(100 + i / 250) + "." + std::to_string(i % 250) + ".0/24 dev nlt0 proto 103\n";
  }
  test::must({"ip", "-batch", "-"}, batch);
  EXPECT_EQ(ours().size(), 2000U);
}

}  // namespace
}  // namespace gw::nl
