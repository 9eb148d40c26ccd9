// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "tests/unit/policy/office.h"

namespace gw {
namespace {

using test::Office;

constexpr const char* kAlice = "172.16.201.5";

/// Rule r1 allows alice to reach one selector; a packet of hers is inside it or not.
struct Zone {
  const char* to;
  const char* destination;
  bool inside;
};

void PrintTo(const Zone& zone, std::ostream* out) { *out << zone.to << " and " << zone.destination; }

class Zones : public testing::TestWithParam<Zone> {};

TEST_P(Zones, ASelectorMatchesWhatItSaysAsDestinationAndAsSource) {
  const Zone& zone = GetParam();
  const bool v6 = std::string(zone.destination).find(':') != std::string::npos;
  const std::string alice = v6 ? "fd6d::5" : kAlice;
  Office office;
  office.rules({"allow client:alice -> " + std::string(zone.to) + " tcp/443"});
  EXPECT_EQ(office.ask(alice + " -> " + zone.destination + " tcp/443"), zone.inside ? "allow r1" : "deny");
  office.rules({"allow " + std::string(zone.to) + " -> client:alice tcp/443"});
  // What the gateway sends itself is not judged.
  const bool gateway = std::ranges::any_of(office.hosts, [&](const policy::HostFacts& host) {
    return host.client.empty() && host.address.str() == zone.destination;
  });
  EXPECT_EQ(office.ask(std::string(zone.destination) + " -> " + alice + " tcp/443"),
            zone.inside && !gateway ? "allow r1" : "deny");
}

INSTANTIATE_TEST_SUITE_P(Vpn, Zones,
                         testing::Values(Zone{"vpn", "172.16.201.6", true}, Zone{"vpn", "fd6d::7", true},
                                         Zone{"vpn", "172.16.201.1", false},   // the gateway is no client
                                         Zone{"vpn", "172.16.201.99", false},  // assigned to nobody
                                         Zone{"vpn", "10.1.1.7", false}));

INSTANTIATE_TEST_SUITE_P(UnassignedVpnAddresses, Zones,
                         testing::Values(Zone{"any", "172.16.201.99", false},
                                         Zone{"172.16.0.0/12", "172.16.201.99", false},
                                         Zone{"172.16.201.99/32", "172.16.201.99", false},
                                         Zone{"0.0.0.0/0", "172.16.201.99", false}));

INSTANTIATE_TEST_SUITE_P(Gateway, Zones,
                         testing::Values(Zone{"gateway", "172.16.201.1", true}, Zone{"gateway", "20.1.1.1", true},
                                         Zone{"gateway", "10.1.1.1", true}, Zone{"subnet:web", "10.1.1.1", false},
                                         Zone{"internet", "20.1.1.1", false}, Zone{"gateway", "10.1.1.2", false},
                                         Zone{"10.1.1.0/24", "10.1.1.1", true}, Zone{"any", "20.1.1.1", true}));

INSTANTIATE_TEST_SUITE_P(SubnetsAndSites, Zones,
                         testing::Values(Zone{"subnet:web", "10.1.1.7", true}, Zone{"subnet:web", "fd01:1::7", true},
                                         Zone{"subnet:web", "10.1.2.7", false},
                                         Zone{"site:parents", "192.168.50.9", true},
                                         Zone{"site:parents", "192.168.51.9", false}));

INSTANTIATE_TEST_SUITE_P(Clients, Zones,
                         testing::Values(Zone{"client:bob", "172.16.201.6", true}, Zone{"client:bob", "fd6d::6", true},
                                         Zone{"client:bob", "172.16.201.7", false},
                                         Zone{"group:ops", "172.16.201.6", true},
                                         Zone{"group:ops", "172.16.201.7", false}));

INSTANTIATE_TEST_SUITE_P(
    Internet, Zones,
    testing::Values(Zone{"internet", "8.8.8.8", true}, Zone{"internet", "2a01:111::1", true},
                    Zone{"internet", "20.30.40.5", false},      // a subnet, though its addresses are public
                    Zone{"internet", "10.1.200.5", false},      // address space that is no subnet
                    Zone{"internet", "192.168.7.7", false},     // private
                    Zone{"internet", "100.64.1.1", false},      // shared address space
                    Zone{"internet", "203.0.113.5", false},     // documentation
                    Zone{"internet", "198.18.0.5", false},      // benchmarking
                    Zone{"internet", "192.0.0.8", false},       // protocol assignments…
                    Zone{"internet", "192.0.0.9", true},        // …with an exception that is global
                    Zone{"internet", "fd99::1", false},         // unique local
                    Zone{"internet", "2001:db8::5", false},     // documentation
                    Zone{"internet", "2002:a01:107::", false},  // 6to4 of 10.1.1.7
                    Zone{"internet", "2001:20::5", true},       // ORCHIDv2, an exception within 2001::/23
                    Zone{"internet", "2001:1::1", true}));

INSTANTIATE_TEST_SUITE_P(AnyTakesWhatIsNotTheInternetToo, Zones,
                         testing::Values(Zone{"any", "8.8.8.8", true}, Zone{"any", "10.1.200.5", true},
                                         Zone{"any", "192.168.7.7", true}, Zone{"any", "10.1.1.7", true},
                                         Zone{"any", "172.16.201.6", true}, Zone{"any", "fd99::1", true}));

INSTANTIATE_TEST_SUITE_P(NeverForwarded, Zones,
                         testing::Values(Zone{"any", "169.254.169.254", false},
                                         Zone{"internet", "169.254.169.254", false},
                                         Zone{"any", "168.63.129.16", false}, Zone{"internet", "168.63.129.16", false},
                                         Zone{"any", "127.0.0.2", false}, Zone{"any", "224.0.0.251", false},
                                         Zone{"any", "255.255.255.255", false}, Zone{"any", "fe80::7", false},
                                         Zone{"any", "ff02::fb", false}, Zone{"any", "0.0.0.5", false},
                                         Zone{"0.0.0.0/0", "169.254.169.254", false},
                                         Zone{"168.63.0.0/16", "168.63.129.16", false},
                                         Zone{"::/0", "fe80::7", false}));

INSTANTIATE_TEST_SUITE_P(UnlessARuleNamesTheLiteral, Zones,
                         testing::Values(Zone{"169.254.169.254/32", "169.254.169.254", true},
                                         Zone{"169.254.0.0/16", "169.254.169.254", true},
                                         Zone{"169.254.169.254/32", "169.254.169.253", false},
                                         Zone{"168.63.129.16/32", "168.63.129.16", true},
                                         Zone{"fe80::/64", "fe80::7", true}));

INSTANTIATE_TEST_SUITE_P(Literals, Zones,
                         testing::Values(Zone{"10.1.1.128/25", "10.1.1.200", true},
                                         Zone{"10.1.1.128/25", "10.1.1.7", false}, Zone{"10.0.0.0/8", "10.1.1.7", true},
                                         Zone{"10.0.0.0/8", "10.9.9.9", true},
                                         Zone{"172.16.201.4/30", "172.16.201.6", true},
                                         Zone{"8.8.8.8/32", "8.8.8.8", true}, Zone{"0.0.0.0/0", "10.1.1.7", true},
                                         Zone{"::/0", "fd01:1::7", true}));

TEST(Zones, AnotherRulesLiteralOpensANeverForwardedAddressOnlyForThatRule) {
  Office office;
  office.rules({"allow client:bob -> 169.254.169.254/32 tcp/80", "allow vpn -> any any"});
  EXPECT_EQ(office.ask("172.16.201.6 -> 169.254.169.254 tcp/80"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 169.254.169.254 tcp/80"), "deny");
  EXPECT_EQ(office.ask("172.16.201.6 -> 169.254.169.254 tcp/81"), "deny");
}

TEST(Zones, ALiteralInsideASubnetKeepsTheSubnet) {
  Office office;
  office.rules({"deny vpn -> 10.1.1.7/32 tcp/22", "allow vpn -> subnet:web any"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/22"), "deny r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/23"), "allow r2");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.8 tcp/22"), "allow r2");
}

TEST(Zones, ALiteralAroundASubnetReachesIntoIt) {
  Office office;
  office.rules({"deny vpn -> 10.0.0.0/8 tcp/22", "allow vpn -> subnet:web any"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/22"), "deny r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/23"), "allow r2");
}

TEST(Zones, WhatTheGatewayWouldSendItselfMatchesNoRuleAsASource) {
  Office office;
  office.rules({"allow any -> any any", "allow gateway -> any any"});
  EXPECT_EQ(office.ask("172.16.201.1 -> 10.1.1.7 tcp/22"), "deny");
  EXPECT_EQ(office.ask("10.1.1.1 -> 172.16.201.5 tcp/22"), "deny");
}

TEST(Zones, NatIsForAllowedFlowsOutOfWhatIsConfiguredFromItsSources) {
  Office office;
  office.nat("vpn").rules({"deny vpn -> 8.8.8.8/32 any", "allow any -> any any"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 9.9.9.9 tcp/443"), "allow r2 nat");
  EXPECT_EQ(office.ask("172.16.201.5 -> 8.8.8.8 tcp/443"), "deny r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/443"), "allow r2");
  EXPECT_EQ(office.ask("172.16.201.5 -> 192.168.7.7 tcp/443"), "allow r2 nat") << "nothing of ours";
  EXPECT_EQ(office.ask("10.1.1.7 -> 9.9.9.9 tcp/443"), "allow r2");
}

}  // namespace
}  // namespace gw
