// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/covers.h"

#include <gtest/gtest.h>

#include <string>

#include "gatewayd/config/load.h"
#include "gatewayd/config/selector.h"
#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

const std::string kNetwork =
    kBase +
    "groups: {dev: , ops: }\n"
    "subnets:\n"
    "  web: {prefixes: [10.1.1.0/24], interface: eth1}\n"
    "  data: {prefixes: [10.1.2.0/24], interface: eth2, address: 10.1.2.1}\n"
    "  far: {prefixes: [10.1.9.0/24, 10.1.10.0/24], interface: eth0, via: 10.1.1.9}\n"
    "sites: {home: {public_key: 4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=, prefixes: 192.168.5.0/24}}\n";

bool covers(Side side, const char* wide, const char* narrow) {
  static const Config config = load({{"gateway.yaml", kNetwork}}).config;
  return covers(config, side, *selector_of(wide), *selector_of(narrow));
}

bool both(const char* wide, const char* narrow) {
  EXPECT_EQ(covers(Side::source, wide, narrow), covers(Side::destination, wide, narrow)) << wide << " " << narrow;
  return covers(Side::source, wide, narrow);
}

TEST(Covers, EverythingIsAnyButWhatOnlyALiteralReaches) {
  for (const char* narrow :
       {"any", "vpn", "internet", "gateway", "subnet:web", "group:dev", "client:x", "site:home", "10.1.1.0/24"}) {
    EXPECT_TRUE(both("any", narrow)) << narrow;
  }
  for (const char* narrow :
       {"169.254.169.254", "168.63.129.16", "127.0.0.1", "224.0.0.0/4", "fe80::1", "0.0.0.0/0", "::/0"}) {
    EXPECT_FALSE(both("any", narrow)) << narrow;
  }
}

TEST(Covers, VpnHoldsGroupsAndClientsOnly) {
  EXPECT_TRUE(both("vpn", "group:dev"));
  EXPECT_TRUE(both("vpn", "client:x"));
  for (const char* narrow : {"any", "internet", "gateway", "subnet:web", "site:home", "172.16.201.9"})
    EXPECT_FALSE(both("vpn", narrow)) << narrow;
}

TEST(Covers, NamesHoldOnlyThemselves) {
  EXPECT_TRUE(both("group:dev", "group:dev"));
  EXPECT_FALSE(both("group:dev", "group:ops"));
  EXPECT_FALSE(both("group:dev", "client:x"));
  EXPECT_FALSE(both("client:x", "group:dev"));
  EXPECT_FALSE(both("internet", "8.8.8.8"));
}

TEST(Covers, PrefixesHoldLongerOnesAndTheSubnetsWithin) {
  EXPECT_TRUE(both("10.1.0.0/16", "10.1.1.0/24"));
  EXPECT_FALSE(both("10.1.1.0/24", "10.1.0.0/16"));
  EXPECT_TRUE(both("10.1.0.0/16", "subnet:web"));
  EXPECT_TRUE(both("10.1.8.0/21", "subnet:far"));
  EXPECT_FALSE(both("10.1.9.0/24", "subnet:far")) << "its second prefix lies outside";
  EXPECT_TRUE(both("192.168.0.0/16", "site:home"));
  EXPECT_FALSE(both("0.0.0.0/0", "169.254.169.254")) << "a wide literal does not reach link-local addresses";
}

TEST(Covers, SubnetsHoldTheirPrefixesAsSources) {
  EXPECT_TRUE(covers(Side::source, "subnet:web", "10.1.1.7"));
  EXPECT_TRUE(covers(Side::source, "subnet:far", "10.1.10.0/25"));
  EXPECT_FALSE(covers(Side::source, "subnet:web", "10.1.2.7"));
  EXPECT_FALSE(covers(Side::source, "subnet:web", "10.1.0.0/16"));
  EXPECT_TRUE(both("site:home", "192.168.5.9"));
}

TEST(Covers, SubnetsHoldDestinationsOnlyWhereTheGatewayCannotBe) {
  EXPECT_FALSE(covers(Side::destination, "subnet:web", "10.1.1.7")) << "the gateway may have any address there";
  EXPECT_TRUE(covers(Side::destination, "subnet:data", "10.1.2.7"));
  EXPECT_FALSE(covers(Side::destination, "subnet:data", "10.1.2.0/24")) << "the gateway's own 10.1.2.1 is among them";
  EXPECT_TRUE(covers(Side::destination, "subnet:far", "10.1.9.0/24"));
}

bool services(std::initializer_list<const char*> wide, const char* narrow) {
  std::vector<Service> all;
  for (const char* text : wide) {
    const std::vector<Service> each = *services_of(text, {});
    all.insert(all.end(), each.begin(), each.end());
  }
  return covers(all, services_of(narrow, {})->front());
}

TEST(Covers, ServicesByRangeAndTogether) {
  EXPECT_TRUE(services({"any"}, "tcp/443"));
  EXPECT_TRUE(services({"any"}, "any"));
  EXPECT_FALSE(services({"tcp", "udp", "icmp"}, "any"));
  EXPECT_TRUE(services({"tcp"}, "tcp/65535"));
  EXPECT_TRUE(services({"tcp/1-1000"}, "ssh"));
  EXPECT_FALSE(services({"udp/1-1000"}, "ssh"));
  EXPECT_TRUE(services({"tcp/1-50", "tcp/51-100"}, "tcp/40-60"));
  EXPECT_FALSE(services({"tcp/1-50", "tcp/52-100"}, "tcp/40-60"));
  EXPECT_TRUE(services({"icmp"}, "icmp/255"));
  EXPECT_TRUE(services({"icmp/8"}, "icmp/8/0"));
  EXPECT_FALSE(services({"proto/47"}, "esp"));
}

}  // namespace
}  // namespace gw::config
