// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gatewayd/apply/linux_normalise.h"
#include "netlink/nftables.h"

/// The pure half of observe(). The values below are as the running kernel reported them (tests/netns/apply shows that
/// it does); here each line of the function has its case.
namespace gw::apply {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr UnixSeconds kNow = 1'700'000'000;
const std::string kAlias = "gatewayd test";

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

PublicKey key(uint8_t seed) {
  PublicKey result;
  result.bytes.fill(seed);
  return result;
}

class NormaliseTest : public testing::Test {
 protected:
  NormaliseTest() {
    raw_.links = {link(2, "eth0", "", ""), link(5, "wg0", "wireguard", kAlias), link(6, "eth0.20", "vlan", kAlias)};
    raw_.links[2].parent = 2;
    raw_.links[2].vlan = 20;
    desired_.wireguard.device = "wg0";
  }
  static nl::Link link(uint32_t index, const char* name, const char* kind, const std::string& alias) {
    nl::Link link;
    link.index = index;
    link.name = name;
    link.kind = kind;
    link.alias = alias;
    link.mtu = 1420;
    link.up = true;
    return link;
  }
  plan::Observed run() const { return normalise(raw_, desired_, kAlias, kNow); }

  Raw raw_;
  plan::KernelState desired_;
};

TEST_F(NormaliseTest, TakesDevicesWithOurMarkOnly) {
  raw_.links.push_back(link(7, "wg1", "wireguard", ""));
  raw_.links.push_back(link(8, "wg2", "wireguard", "gatewayd other"));
  const auto observed = run();
  EXPECT_THAT(observed.vpns, ElementsAre(Pair("wg0", plan::WireGuardLink{.name = "wg0", .mtu = 1420, .up = true})));
  EXPECT_THAT(
      observed.vlans,
      ElementsAre(Pair("eth0.20", plan::VlanLink{.name = "eth0.20", .parent = "eth0", .vlan = 20, .up = true})));
}

TEST_F(NormaliseTest, TakesTheTunDeviceOfUserspaceWireGuardAsTheSame) {
  raw_.links[1].kind = "tun";
  EXPECT_THAT(run().vpns, ElementsAre(Key("wg0")));
}

TEST_F(NormaliseTest, TakesAllAddressesOfOurDevicesButThoseOfTheKernel) {
  raw_.addresses = {{.ifindex = 5, .address = ip("172.16.201.1"), .length = 24},
                    {.ifindex = 5, .address = ip("fe80::1"), .length = 64}};
  EXPECT_THAT(run().addresses, ElementsAre(plan::Address{"wg0", ip("172.16.201.1"), 24}));
}

TEST_F(NormaliseTest, TakesOfForeignDevicesTheAddressesWithOurMarkOrAsWanted) {
  desired_.addresses = {{"eth0", ip("10.1.2.1"), 24}};
  raw_.addresses = {{.ifindex = 2, .address = ip("10.1.2.1"), .length = 24},
                    {.ifindex = 2, .address = ip("10.1.2.2"), .length = 24, .protocol = nl::kAddressProtocol},
                    {.ifindex = 2, .address = ip("198.51.100.1"), .length = 24}};
  EXPECT_THAT(run().addresses, UnorderedElementsAre(plan::Address{"eth0", ip("10.1.2.1"), 24},
                                                    plan::Address{"eth0", ip("10.1.2.2"), 24}));
}

TEST_F(NormaliseTest, TakesRoutesWithOurNumberOrAsWantedFromTheMainTable) {
  desired_.routes = {{prefix("10.8.0.0/16"), ip("198.51.100.9"), "eth0"}};
  raw_.routes = {{.dst = prefix("10.7.0.0/16"), .via = {}, .oif = 5, .protocol = nl::kRouteProtocol},
                 {.dst = prefix("10.8.0.0/16"), .via = ip("198.51.100.9"), .oif = 2, .protocol = 4},
                 {.dst = prefix("10.9.0.0/16"), .via = ip("198.51.100.9"), .oif = 2, .protocol = 4},
                 {.dst = prefix("10.6.0.0/16"), .via = {}, .oif = 5, .table = 99, .protocol = nl::kRouteProtocol}};
  EXPECT_THAT(run().routes, UnorderedElementsAre(plan::Route{prefix("10.7.0.0/16"), std::nullopt, "wg0"},
                                                 plan::Route{prefix("10.8.0.0/16"), ip("198.51.100.9"), "eth0"}));
}

class EndpointTest : public NormaliseTest {
 protected:
  std::optional<std::pair<IpAddress, uint16_t>> endpoint(UnixSeconds last_handshake) {
    nl::WgDevice device;
    device.peers[key(1)] = {.endpoint = nl::UdpEndpoint{ip("203.0.113.50"), 40000}, .keepalive = 0, .allowed_ips = {}};
    device.states[key(1)] = {.last_handshake = last_handshake, .rx_bytes = 0, .tx_bytes = 0, .endpoint = {}};
    raw_.wireguard = device;
    return run().wireguard.peers.at(key(1)).endpoint;
  }
  const std::pair<IpAddress, uint16_t> written_{ip("203.0.113.9"), 51820};
};

TEST_F(EndpointTest, OfAClientIsNoConcern) { EXPECT_EQ(endpoint(kNow), std::nullopt); }

TEST_F(EndpointTest, OfASiteThatTalksToUsFromElsewhereIsAsWanted) {
  desired_.wireguard.peers[key(1)].endpoint = written_;
  EXPECT_EQ(endpoint(kNow - 100), written_);
}

TEST_F(EndpointTest, OfASiteWithoutALiveSessionIsAsItIs) {
  desired_.wireguard.peers[key(1)].endpoint = written_;
  EXPECT_EQ(endpoint(kNow - 200), std::pair(ip("203.0.113.50"), uint16_t{40000}));
}

TEST_F(NormaliseTest, NamesLinkEntriesByDeviceAndGoneOnesByNumber) {
  raw_.link_entries = {{5, {.link = 1, .flags = GW_LINK_VPN, .vlans = {}}},
                       {2, {.link = 2, .flags = 0, .vlans = {30, 20}}},
                       {77, {.link = 3, .flags = 0, .vlans = {}}}};
  const auto links = run().policy.links;
  EXPECT_THAT(links, ElementsAre(Key("eth0"), Key("ifindex 77"), Key("wg0")));
  EXPECT_THAT(links.at("eth0").vlans, ElementsAre(20, 30));
}

TEST_F(NormaliseTest, TakesTheFrameForWhatItSaysOfItself) {
  EXPECT_EQ(run().firewall.fingerprint, "");
  raw_.frame = nl::kEditedFrame;
  EXPECT_EQ(run().firewall.fingerprint, nl::kEditedFrame);
}

TEST_F(NormaliseTest, ExpectsNoIpv6SettingsOfAKernelWithoutIpv6) {
  desired_.sysctls = {{"net.ipv4.ip_forward", "1"}, {"net.ipv6.conf.all.forwarding", "1"}};
  raw_.sysctls = {{"net.ipv4.ip_forward", "0"}};
  raw_.ipv6 = false;
  EXPECT_THAT(run().sysctls, ElementsAre(Pair("net.ipv4.ip_forward", "0"), Pair("net.ipv6.conf.all.forwarding", "1")));
}

TEST_F(NormaliseTest, LeavesRouterAdvertisementsOffThatSomeoneTurnedOff) {
  desired_.sysctls = {{"net.ipv6.conf.eth0.accept_ra", "2"}};
  raw_.sysctls = {{"net.ipv6.conf.eth0.accept_ra", "0"}};
  EXPECT_THAT(run().sysctls, ElementsAre(Pair("net.ipv6.conf.eth0.accept_ra", "2")));
  raw_.sysctls = {{"net.ipv6.conf.eth0.accept_ra", "1"}};
  EXPECT_THAT(run().sysctls, ElementsAre(Pair("net.ipv6.conf.eth0.accept_ra", "1")));
  raw_.sysctls.clear();
  EXPECT_THAT(run().sysctls, IsEmpty());
}

}  // namespace
}  // namespace gw::apply
