// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/plan/fixture.h"

namespace gw::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::array<uint8_t, 6> kMac = {2, 0, 0, 0, 0, 1};
constexpr Card able() { return {.mac = kMac, .native_xdp = true, .transmits = true}; }

/// web on eth1, data on VLAN 20 of eth1, far on eth0.
Intent office() {
  Intent intent = intent_of("office");
  intent.cards = {{"eth0", able()}, {"eth1", able()}};
  return intent;
}

TEST(FastPath, RunsBetweenAllSubnetsWhoseCardsCan) {
  const Intent intent = office();
  EXPECT_THAT(fast_path(intent).devices, ElementsAre("eth0", "eth1", "eth1.20"));
  const Desired desired = desired_of(intent);
  EXPECT_TRUE(desired.attachments.contains({"eth0", Hook::guard_xdp})) << "the public card: guard and fast path in one";
  EXPECT_FALSE(desired.attachments.contains({"eth0", Hook::xdp}));
  EXPECT_TRUE(desired.attachments.contains({"eth1", Hook::xdp}));
  EXPECT_FALSE(desired.attachments.contains({"eth1.20", Hook::xdp})) << "its frames arrive on the parent";
}

TEST(FastPath, SendsTheFramesOfAVlanDeviceByItsParentWithATag) {
  const auto links = desired_of(office()).policy.links;
  const LinkEntry& vlan = links.at("eth1.20");
  EXPECT_EQ(vlan.flags, GW_LINK_FAST | GW_LINK_FAST_OUT);
  EXPECT_EQ(vlan.mac, kMac);
  EXPECT_EQ(vlan.out, "eth1");
  EXPECT_EQ(vlan.out_vid, 20);
  EXPECT_EQ(links.at("eth1").out, "eth1");
  EXPECT_EQ(links.at("eth1").out_vid, 0);
  EXPECT_EQ(links.at("wg0").flags, uint32_t{GW_LINK_VPN});
}

TEST(FastPath, IsOffWhereTheConfigurationSaysSo) {
  Intent intent = office();
  intent.config.dataplane.fast_path = config::FastPath::off;
  EXPECT_THAT(fast_path(intent).devices, IsEmpty());
  EXPECT_EQ(fast_path(intent).why_not, "by configuration");
  EXPECT_FALSE(desired_of(intent).attachments.contains({"eth1", Hook::xdp}));
}

TEST(FastPath, HasAProgramOfItsOwnOnThePublicCardWhereTheGuardIsAtTc) {
  Intent intent = office();
  intent.config.guard.hook = config::GuardHook::tc;
  const auto attachments = desired_of(intent).attachments;
  EXPECT_TRUE(attachments.contains({"eth0", Hook::xdp}));
  EXPECT_TRUE(attachments.contains({"eth0", Hook::guard_ingress}));
  EXPECT_FALSE(attachments.contains({"eth0", Hook::guard_xdp}));
}

TEST(Guard, RunsInXdpWhereTheDriverHasIt) {
  Intent intent = office();
  EXPECT_EQ(guard_place(intent).hook, Hook::guard_xdp);
  EXPECT_FALSE(desired_of(intent).attachments.contains({"eth0", Hook::guard_ingress}));
  intent.cards["eth0"].loses_frames = true;
  EXPECT_EQ(guard_place(intent).hook, Hook::guard_xdp) << "the guard redirects nothing";
  EXPECT_EQ(fast_path(intent).why_not, "eth0: a driver lost redirected packets");
}

TEST(Guard, SaysWhyItIsNotInXdp) {
  Intent intent = office();
  const auto why_not = [&] {
    EXPECT_EQ(guard_place(intent).hook, Hook::guard_ingress);
    EXPECT_TRUE(desired_of(intent).attachments.contains({"eth0", Hook::guard_ingress}));
    return guard_place(intent).why_not;
  };
  intent.cards["eth0"].trouble = "attach XDP program: Device or resource busy";
  EXPECT_EQ(why_not(), "attach XDP program: Device or resource busy");
  intent.cards["eth0"] = able();
  intent.cards["eth0"].native_xdp = false;
  EXPECT_EQ(why_not(), "no XDP in the driver");
  intent.cards["eth0"] = able();
  intent.cards["eth0"].defers_checksums = true;
  EXPECT_EQ(why_not(), "a veth");
  intent.config.guard.hook = config::GuardHook::xdp;
  EXPECT_EQ(guard_place(intent).hook, Hook::guard_xdp) << "asked for";
  intent.config.guard.hook = config::GuardHook::tc;
  EXPECT_EQ(why_not(), "by configuration");
  intent.config.guard.hook = config::GuardHook::xdp;
  intent.cards["eth0"] = able();
  intent.cards["eth0"].strips_vlan = true;
  EXPECT_EQ(guard_place(intent).hook, Hook::guard_xdp) << "no VLAN there";
  intent.config.subnets.at("data").interface = "eth0";
  EXPECT_EQ(why_not(), "hides VLAN tags: ethtool -K eth0 rxvlan off");
  intent.config.guard.hook = config::GuardHook::automatic;
  intent.cards.erase("eth0");
  EXPECT_EQ(why_not(), "no XDP in the driver");
}

TEST(FastPath, SaysOfACardWhyItCannotTakePart) {
  Intent intent = office();
  intent.cards["eth0"].native_xdp = false;
  EXPECT_EQ(fast_path(intent).why_not, "eth0: no XDP in its driver");
  intent.cards["eth0"] = able();
  intent.cards["eth0"].transmits = false;
  EXPECT_EQ(fast_path(intent).why_not, "eth0: takes no redirected frames");
  intent.cards["eth0"].trouble = "attach XDP program: Device or resource busy";
  EXPECT_EQ(fast_path(intent).why_not, "eth0: attach XDP program: Device or resource busy");
  EXPECT_THAT(fast_path(intent).devices, ElementsAre("eth1", "eth1.20")) << "the others go on";
  intent.cards.erase("eth0");
  EXPECT_EQ(fast_path(intent).why_not, "eth0: no Ethernet card");
}

TEST(FastPath, DoesNotTrustACardThatHidesVlanTagsOnlyWhereThereAreVlans) {
  Intent intent = office();
  intent.cards["eth1"].strips_vlan = true;
  EXPECT_THAT(fast_path(intent).devices, IsEmpty()) << "eth0 alone has no other to forward to";
  EXPECT_EQ(fast_path(intent).why_not, "eth1: hides VLAN tags: ethtool -K eth1 rxvlan off");
  intent.config.subnets.erase("data");
  intent.config.rules.clear();
  EXPECT_THAT(fast_path(intent).devices, ElementsAre("eth0", "eth1"));
}

TEST(FastPath, TakesAVethOnlyWhenAskedTo) {
  Intent intent = office();
  intent.cards["eth0"].defers_checksums = true;
  EXPECT_EQ(fast_path(intent).why_not, "eth0: a veth, whose frames may lack checksums");
  EXPECT_FALSE(fast_path(intent).devices.contains("eth0"));
  intent.config.dataplane.fast_path = config::FastPath::on;
  EXPECT_TRUE(fast_path(intent).devices.contains("eth0"));
}

TEST(FastPath, NeedsTwoSubnets) {
  Intent intent = office();
  intent.config.subnets.erase("data");
  intent.config.subnets.erase("far");
  intent.config.rules.clear();
  EXPECT_THAT(fast_path(intent).devices, IsEmpty());
  EXPECT_EQ(fast_path(intent).why_not, "it needs two subnets");
}

}  // namespace
}  // namespace gw::plan
