// SPDX-License-Identifier: Apache-2.0
#include "netlink/address.h"

#include <algorithm>
#include <cerrno>

#include "netlink/route.h"
#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

class Addresses : public NetlinkTest {
 protected:
  bool has(const Address& address) {
    const auto all = list_addresses(socket_).value();
    return std::find(all.begin(), all.end(), address) != all.end();
  }
  uint32_t device_ = add_veth("nlt0", "nlt1");
};

TEST_F(Addresses, OfBothFamiliesAreAddedReadBackAndDeleted) {
  for (const Address& address : {Address{device_, ip("172.16.201.1"), 24, kAddressProtocol},
                                 Address{device_, ip("fd6d:706e:6c61::1"), 64, kAddressProtocol}}) {
    ASSERT_TRUE(add_address(socket_, address));
    EXPECT_TRUE(has(address));
    ASSERT_TRUE(delete_address(socket_, address));
    EXPECT_FALSE(has(address));
  }
}

TEST_F(Addresses, OfIPv6AreUsableAtOnce) {
  ASSERT_TRUE(add_address(socket_, {device_, ip("fd00::1"), 64, 0}));
  const auto shown = test::must("ip -6 address show dev nlt0 to fd00::1");
  EXPECT_NE(shown.find("nodad"), std::string::npos);
  EXPECT_EQ(shown.find("tentative"), std::string::npos);
}

TEST_F(Addresses, ThatAreThereAreNotAddedAgain) {
  const Address four{device_, ip("10.9.0.1"), 24, 0};
  const Address six{device_, ip("fd00::1"), 64, 0};
  for (const auto& address : {four, six}) {
    ASSERT_TRUE(add_address(socket_, address));
    const auto again = add_address(socket_, address);
    EXPECT_EQ(again.error().code, EEXIST);
  }
}

TEST_F(Addresses, ThatAreNotThereCannotBeDeleted) {
  ASSERT_TRUE(add_address(socket_, {device_, ip("10.9.0.1"), 24, 0}));
  EXPECT_EQ(delete_address(socket_, {device_, ip("10.9.0.2"), 24, 0}).error().code, EADDRNOTAVAIL);
  EXPECT_EQ(delete_address(socket_, {device_, ip("10.9.0.1"), 25, 0}).error().code, EADDRNOTAVAIL);
  EXPECT_EQ(delete_address(socket_, {device_, ip("fd00::7"), 64, 0}).error().code, EADDRNOTAVAIL);
  EXPECT_TRUE(has({device_, ip("10.9.0.1"), 24, 0}));
}

TEST_F(Addresses, OfOthersAreReadWithProtocolZeroOrTheirOwn) {
  test::must("ip address add 10.9.0.1/24 dev nlt0");
  EXPECT_TRUE(has({device_, ip("10.9.0.1"), 24, 0}));
}

TEST_F(Addresses, OfPointToPointLinksAreTheLocalEnd) {
  test::must("ip address add 10.9.0.1 peer 10.9.0.2/32 dev nlt0");
  EXPECT_TRUE(has({device_, ip("10.9.0.1"), 32, 0}));
}

TEST_F(Addresses, OnAMissingDeviceNameAddressAndReason) {
  const auto refused = add_address(socket_, {4711, ip("10.9.0.1"), 24, 0});
  EXPECT_EQ(refused.error().code, ENODEV);
  EXPECT_EQ(refused.error().object, "10.9.0.1/24 on device number 4711");
}

TEST_F(Addresses, WithAnImpossibleLengthAreRefused) {
  EXPECT_EQ(add_address(socket_, {device_, ip("10.9.0.1"), 33, 0}).error().code, EINVAL);
  EXPECT_EQ(add_address(socket_, {device_, ip("fd00::1"), 129, 0}).error().code, EINVAL);
}

}  // namespace
}  // namespace gw::nl
