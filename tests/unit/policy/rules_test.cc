// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/policy/office.h"

namespace gw {
namespace {

using test::Office;

TEST(Rules, WhatMatchesNoneIsDenied) {
  EXPECT_EQ(Office().ask("172.16.201.5 -> 10.1.1.7 tcp/443"), "deny");
  Office office;
  office.rules({"allow group:dev -> subnet:web tcp/443"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/443"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/80"), "deny");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 udp/443"), "deny");
  EXPECT_EQ(office.ask("172.16.201.7 -> 10.1.1.7 tcp/443"), "deny");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.2.7 tcp/443"), "deny");
}

TEST(Rules, ARuleSaysNothingOfTheOtherDirection) {
  Office office;
  office.rules({"allow vpn -> subnet:web any"});
  EXPECT_EQ(office.ask("10.1.1.7 -> 172.16.201.5 tcp/443"), "deny");
}

TEST(Rules, TheFirstThatMatchesDecides) {
  Office office;
  office.rules({"allow client:alice -> subnet:web tcp/22", "reject group:dev -> subnet:web tcp/20-30 log",
                "allow vpn -> subnet:web tcp", "deny any -> any any"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/22"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/23"), "reject r2 log");
  EXPECT_EQ(office.ask("172.16.201.6 -> 10.1.1.7 tcp/22"), "reject r2 log");
  EXPECT_EQ(office.ask("172.16.201.7 -> 10.1.1.7 tcp/22"), "allow r3");
  EXPECT_EQ(office.ask("172.16.201.7 -> 10.1.1.7 udp/22"), "deny r4");
}

TEST(Rules, ADenyBeforeAnAllowWinsAndAfterItDoesNot) {
  Office office;
  office.rules({"deny vpn -> subnet:data any", "allow vpn -> any any"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.2.7 tcp/443"), "deny r1");
  office.rules({"allow vpn -> any any", "deny vpn -> subnet:data any"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.2.7 tcp/443"), "allow r1");
}

TEST(Rules, ARangeOfPortsEndsWhereItSays) {
  Office office;
  office.rules({"allow vpn -> subnet:web tcp/1000-2000"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/999"), "deny");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/1000"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/1023"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/1024"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/2000"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/2001"), "deny");
}

TEST(Rules, TheServiceAnyTakesEveryProtocol) {
  Office office;
  office.rules({"allow vpn -> subnet:web any"});
  for (const char* service : {"tcp/0", "tcp/65535", "udp/53", "icmp/8", "proto/47", "proto/132"}) {
    EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 " + std::string(service)), "allow r1") << service;
  }
}

TEST(Rules, ServicesOfOneRuleAddUp) {
  Office office;
  office.rules({"allow vpn -> subnet:web tcp/22,tcp/80-90,udp/53,icmp/8,proto/47"});
  for (const char* service : {"tcp/22", "tcp/85", "udp/53", "icmp/8", "proto/47"}) {
    EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 " + std::string(service)), "allow r1") << service;
  }
  for (const char* service : {"tcp/53", "udp/22", "icmp/3", "proto/50", "tcp/91"}) {
    EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 " + std::string(service)), "deny") << service;
  }
}

TEST(Rules, AClientOfSeveralGroupsHasWhatEachMayReach) {
  Office office;
  office.rules({"allow group:dev -> subnet:web any", "allow group:ops -> subnet:data any"});
  EXPECT_EQ(office.ask("172.16.201.6 -> 10.1.1.7 tcp/443"), "allow r1");
  EXPECT_EQ(office.ask("172.16.201.6 -> 10.1.2.7 tcp/443"), "allow r2");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.2.7 tcp/443"), "deny");
}

TEST(Rules, ADenyForOneOfItsGroupsHoldsForAClientOfSeveral) {
  Office office;
  office.rules({"deny group:ops -> subnet:web any", "allow group:dev -> subnet:web any"});
  EXPECT_EQ(office.ask("172.16.201.6 -> 10.1.1.7 tcp/443"), "deny r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 10.1.1.7 tcp/443"), "allow r2");
}

TEST(Interconnect, LetsMembersReachEachOtherAndNobodyElse) {
  Office office;
  EXPECT_EQ(office.ask("172.16.201.5 -> 172.16.201.6 tcp/22"), "deny");
  office.interconnect("dev");
  EXPECT_EQ(office.ask("172.16.201.5 -> 172.16.201.6 tcp/22"), "allow group:dev interconnect");
  EXPECT_EQ(office.ask("fd6d::6 -> fd6d::5 proto/47"), "allow group:dev interconnect");
  EXPECT_EQ(office.ask("172.16.201.5 -> 172.16.201.7 tcp/22"), "deny");
  EXPECT_EQ(office.ask("172.16.201.7 -> 172.16.201.5 tcp/22"), "deny");
}

TEST(Interconnect, LosesToAWrittenDeny) {
  Office office;
  office.interconnect("dev").rules({"deny vpn -> vpn tcp/22"});
  EXPECT_EQ(office.ask("172.16.201.5 -> 172.16.201.6 tcp/22"), "deny r1");
  EXPECT_EQ(office.ask("172.16.201.5 -> 172.16.201.6 tcp/23"), "allow group:dev interconnect");
}

TEST(Interconnect, OfTwoGroupsDoesNotJoinThem) {
  Office office;
  office.hosts.push_back({.address = *IpAddress::parse("172.16.201.8"), .client = "dan", .groups = {"ops"}});
  office.interconnect("dev").interconnect("ops");
  EXPECT_EQ(office.ask("172.16.201.8 -> 172.16.201.6 tcp/22"), "allow group:ops interconnect");
  EXPECT_EQ(office.ask("172.16.201.8 -> 172.16.201.5 tcp/22"), "deny");
}

}  // namespace
}  // namespace gw
