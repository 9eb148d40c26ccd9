// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/fixture.h"

namespace gw::plan {
namespace {

using testing::ElementsAre;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

TEST(VpnMtu, IsWhatTheUplinkLeaves) {
  config::Vpn vpn;
  EXPECT_EQ(vpn_mtu(vpn, std::nullopt), 1420U);
  EXPECT_EQ(vpn_mtu(vpn, 1500), 1420U);
  EXPECT_EQ(vpn_mtu(vpn, 9000), 1420U);
  EXPECT_EQ(vpn_mtu(vpn, 1492), 1412U);
}

TEST(VpnMtu, NeverTakesIpv6OffTheDevice) {
  EXPECT_EQ(vpn_mtu({}, 1300), 1280U);
  EXPECT_EQ(vpn_mtu({}, 40), 1280U);
}

TEST(VpnMtu, IsWhatIsWritten) {
  config::Vpn vpn;
  vpn.mtu = 1380;
  EXPECT_EQ(vpn_mtu(vpn, 1492), 1380U);
}

TEST(Compile, GivesTheGatewayTheFirstAddressOfEachVpnPrefix) {
  const Desired desired = desired_of(intent_of("office"));
  EXPECT_THAT(desired.addresses,
              UnorderedElementsAre(Address{"wg0", ip("172.16.201.1"), 24}, Address{"wg0", ip("fd6d:706e:6c61::1"), 64},
                                   Address{"eth1.20", ip("10.1.2.1"), 24}));
}

TEST(Compile, RoutesSitesIntoTheTunnelAndRoutedSubnetsToTheirNextHop) {
  EXPECT_THAT(desired_of(intent_of("office")).routes,
              UnorderedElementsAre(Route{prefix("10.1.9.0/24"), ip("10.1.0.1"), "eth0"},
                                   Route{prefix("192.168.50.0/24"), std::nullopt, "wg0"}));
}

TEST(Compile, MakesAPeerOfEveryClientAndSite) {
  const Intent intent = intent_of("office");
  const auto peers = desired_of(intent).wireguard.peers;
  ASSERT_EQ(peers.size(), 3U);
  EXPECT_EQ(peers.at(key_of(1)), (Peer{.allowed_ips = {prefix("172.16.201.4/32")}}));
  const Peer& site = peers.at(intent.config.sites.at("parents").public_key);
  EXPECT_THAT(site.allowed_ips, ElementsAre(prefix("192.168.50.0/24")));
  EXPECT_EQ(site.keepalive, 25);
  EXPECT_EQ(site.endpoint, std::pair(ip("203.0.113.9"), uint16_t{51820}));
}

TEST(Compile, LetsASiteWhoseNameDoesNotResolveComeToUs) {
  Intent intent = intent_of("office");
  intent.resolved.clear();
  const auto peers = desired_of(intent).wireguard.peers;
  EXPECT_EQ(peers.at(intent.config.sites.at("parents").public_key).endpoint, std::nullopt);
}

TEST(Compile, KnowsClientsAndTheGatewaysOwnAddressesButNotLoopbackOrLinkLocal) {
  const auto hosts = desired_of(intent_of("office")).policy.hosts;
  EXPECT_THAT(hosts, ElementsAre(Key(ip("10.1.2.1")), Key(ip("172.16.201.1")), Key(ip("172.16.201.4")),
                                 Key(ip("172.16.201.5")), Key(ip("198.51.100.1")), Key(ip("fd6d:706e:6c61::1"))));
  EXPECT_EQ(hosts.at(ip("198.51.100.1")).flags, GW_HOST_GATEWAY);
  EXPECT_EQ(hosts.at(ip("172.16.201.4")).flags, GW_HOST_CLIENT);
  EXPECT_EQ(hosts.at(ip("172.16.201.4")).client, 1U);
  EXPECT_EQ(hosts.at(ip("172.16.201.4")).valid_until_ns, 1'800'000'000'000'000'000U);
}

TEST(Compile, GivesClientsOfDifferentGroupsDifferentClasses) {
  const auto hosts = desired_of(intent_of("office")).policy.hosts;
  EXPECT_NE(hosts.at(ip("172.16.201.4")).class_id, hosts.at(ip("172.16.201.5")).class_id);
}

TEST(Compile, LetsAGroupThatIsGoneGrantNothing) {
  Intent intent = intent_of("office");
  intent.clients[1].groups = {"former"};
  const auto hosts = desired_of(intent).policy.hosts;
  EXPECT_EQ(hosts.at(ip("172.16.201.4")).class_id, hosts.at(ip("172.16.201.5")).class_id);
}

TEST(Compile, MarksThePublicCardThatCarriesASubnetAndTheParentOfAVlan) {
  const auto links = desired_of(intent_of("office")).policy.links;
  EXPECT_THAT(links, ElementsAre(Key("eth0"), Key("eth1"), Key("eth1.20"), Key("wg0")));
  EXPECT_EQ(links.at("eth0").flags, GW_LINK_PUBLIC);
  EXPECT_EQ(links.at("eth1").flags, GW_LINK_PARENT);
  EXPECT_THAT(links.at("eth1").vlans, ElementsAre(20));
  EXPECT_EQ(links.at("eth1.20").flags, 0U);
  EXPECT_EQ(links.at("wg0"), (LinkEntry{.link = GW_LINK_ID_VPN, .flags = GW_LINK_VPN}));
}

TEST(Compile, AttachesToTheVpnBothWaysAndToEverySubnetDevice) {
  EXPECT_THAT(
      desired_of(intent_of("office")).attachments,
      UnorderedElementsAre(Attachment{"wg0", Hook::vpn_ingress}, Attachment{"wg0", Hook::vpn_egress},
                           Attachment{"eth0", Hook::subnet_ingress}, Attachment{"eth1", Hook::subnet_ingress},
                           Attachment{"eth1.20", Hook::subnet_ingress}, Attachment{"eth0", Hook::guard_ingress}));
}

TEST(Compile, TellsTheGuardThePortTheKeyTheLimitAndTheDenyList) {
  Intent intent = intent_of("office");
  intent.config.public_side.listen_port = 4500;
  intent.config.guard.initiations_per_source = 7;
  intent.public_key.bytes.fill(9);
  intent.blocks = {{*Prefix::parse("198.51.100.0/24"), 500},
                   {*Prefix::parse("198.51.100.7"), 300},
                   {*Prefix::parse("2001:db8::/32"), UINT64_MAX}};
  const GuardState guard = desired_of(intent).guard;
  EXPECT_EQ(guard.settings, (GuardSettings{.port = 4500, .initiations = 7, .public_key = intent.public_key}));
  EXPECT_EQ(guard.blocks, (std::map<Prefix, uint64_t>{{*Prefix::parse("198.51.100.0/24"), 500},
                                                      {*Prefix::parse("198.51.100.7"), 500},  // no gap in the wider one
                                                      {*Prefix::parse("2001:db8::/32"), UINT64_MAX}}));
}

TEST(Compile, NeedsNoProgramOnAParentWithoutASubnetOfItsOwn) {
  Intent intent = intent_of("office");
  intent.config.subnets.erase("web");
  intent.config.rules.clear();
  const Desired desired = desired_of(intent);
  EXPECT_FALSE(desired.policy.links.contains("eth1"));
  EXPECT_FALSE(desired.attachments.contains({"eth1", Hook::subnet_ingress}));
}

TEST(Compile, FramesTheDevicesThePortAndTheMasquerading) {
  const Desired desired = desired_of(intent_of("office"));
  EXPECT_EQ(desired.frame.public_interface, "eth0");
  EXPECT_EQ(desired.frame.vpn_interface, "wg0");
  EXPECT_THAT(desired.frame.inner_interfaces, ElementsAre("eth0", "eth1", "eth1.20"));
  EXPECT_EQ(desired.frame.wireguard_port, 51820);
  EXPECT_TRUE(desired.frame.masquerade);
  EXPECT_THAT(desired.frame.masquerade_out, ElementsAre("eth0"));
  EXPECT_EQ(desired.firewall.fingerprint, nl::fingerprint(desired.frame));
}

TEST(Compile, OpensOnThePublicSideWhatIsNamedThere) {
  using config::Service;
  Intent intent = intent_of("office");
  intent.config.public_side.allow = {{Service::Kind::tcp, 0, 443},
                                     {Service::Kind::udp, 500, 500},
                                     {Service::Kind::protocol, 50, 51},
                                     {Service::Kind::icmp, 0x800, 0x8ff},
                                     {Service::Kind::icmp, 0x8000, 0x80ff}};
  EXPECT_THAT(desired_of(intent).frame.open,
              ElementsAre(nl::OpenService{"tcp", 1, 443}, nl::OpenService{"udp", 500, 500},
                          nl::OpenService{"proto", 50, 51}, nl::OpenService{"icmp", 0, 0}));
  intent.config.public_side.allow = {{}};
  EXPECT_THAT(desired_of(intent).frame.open, ElementsAre(nl::OpenService{"any", 0, UINT16_MAX}));
}

TEST(Compile, SetsForwardingAndWhatGoesWithIt) {
  EXPECT_THAT(desired_of(intent_of("one-card")).sysctls,
              ElementsAre(Pair("net.ipv4.conf.all.send_redirects", "0"), Pair("net.ipv4.conf.eth0.rp_filter", "2"),
                          Pair("net.ipv4.conf.eth0.send_redirects", "0"), Pair("net.ipv4.conf.wg0.rp_filter", "2"),
                          Pair("net.ipv4.conf.wg0.send_redirects", "0"), Pair("net.ipv4.ip_forward", "1"),
                          Pair("net.ipv6.conf.all.forwarding", "1"), Pair("net.ipv6.conf.eth0.accept_ra", "2")));
}

TEST(Compile, WritesTheDotOfAVlanDeviceAsASlashInSysctls) {
  EXPECT_TRUE(desired_of(intent_of("office")).sysctls.contains("net.ipv4.conf.eth1/20.rp_filter"));
}

}  // namespace
}  // namespace gw::plan
