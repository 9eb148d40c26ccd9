// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/ip.h"

#include <gtest/gtest.h>

namespace gw {
namespace {

TEST(IpAddress, PrintsWhatItParsed) {
  for (const char* text : {"10.1.2.3", "255.255.255.255", "::", "fd6d:706e:6c61::1", "2001:db8::ff00:42:8329"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->str(), text);
  }
}

TEST(IpAddress, RefusesWhatIsNotAnAddress) {
  for (const char* text : {"", "10.1.2", "10.1.2.256", "10.1.2.3/8", "fe80::1%eth0", "[::1]", "1.2.3.4 "}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, MapsIPv4IntoSixteenBytesAndBack) {
  const auto address = *IpAddress::parse("172.16.201.5");
  EXPECT_EQ((IpAddress{Family::v6, address.mapped()}.str()), "::ffff:172.16.201.5");
  EXPECT_EQ(IpAddress::from_mapped(address.mapped()), address);
  const auto six = *IpAddress::parse("fd00::5");
  EXPECT_EQ(IpAddress::from_mapped(six.mapped()), six);
}

TEST(Prefix, RefusesHostBitsAndBadLengths) {
  EXPECT_FALSE(Prefix::parse("10.1.1.1/24"));
  EXPECT_FALSE(Prefix::parse("10.1.1.0/33"));
  EXPECT_FALSE(Prefix::parse("10.1.1.0/"));
  EXPECT_FALSE(Prefix::parse("10.1.1.0/-1"));
  EXPECT_TRUE(Prefix::parse("10.1.1.1")->is_host());
}

TEST(Prefix, ContainsByBits) {
  const auto block = *Prefix::parse("10.1.0.0/20");
  EXPECT_TRUE(block.contains(*IpAddress::parse("10.1.15.255")));
  EXPECT_FALSE(block.contains(*IpAddress::parse("10.1.16.0")));
  EXPECT_TRUE(block.overlaps(*Prefix::parse("10.0.0.0/8")));
  EXPECT_FALSE(block.overlaps(*Prefix::parse("10.1.16.0/20")));
  EXPECT_FALSE(block.contains(*IpAddress::parse("::ffff:10.1.0.1")));
  EXPECT_TRUE(Prefix::parse("::/0")->contains(*IpAddress::parse("fd00::1")));
}

TEST(Prefix, CountsAndNumbersItsAddresses) {
  const auto block = *Prefix::parse("10.1.1.0/24");
  EXPECT_EQ(block.size(), 256U);
  EXPECT_EQ(block.nth(255)->str(), "10.1.1.255");
  EXPECT_FALSE(block.nth(256));
  const auto six = *Prefix::parse("fd00::/64");
  EXPECT_EQ(six.size(), UINT64_MAX);
  EXPECT_EQ(six.nth(0x10000)->str(), "fd00::1:0");
}

}  // namespace
}  // namespace gw
