// SPDX-License-Identifier: Apache-2.0
#include "netlink/link.h"

#include <algorithm>
#include <cerrno>

#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

class Links : public NetlinkTest {};

TEST_F(Links, AreListedWithWhatTheKernelSaysOfThem) {
  const uint32_t index = add_veth("nlt0", "nlt1");
  const auto links = list_links(socket_).value();
  const auto found = std::find_if(links.begin(), links.end(), [](const Link& link) { return link.name == "nlt0"; });
  ASSERT_NE(found, links.end());
  EXPECT_EQ(found->index, index);
  EXPECT_EQ(found->kind, "veth");
  EXPECT_EQ(found->mtu, 1500U);
  EXPECT_TRUE(found->up);
  EXPECT_TRUE(found->carrier);
  EXPECT_EQ(found->parent, index_of("nlt1"));
  EXPECT_EQ(*find_link(socket_, "nlt0"), *found);
}

TEST_F(Links, ShowNoParentThatLivesInAnotherNamespace) {
  const test::PeerNamespace peer;
  add_veth("nlt0", "nlt1");
  test::must("ip link set nlt1 netns " + peer.path());
  EXPECT_EQ(find_link(socket_, "nlt0")->parent, 0U);
}

TEST_F(Links, TakeAliasMtuAndState) {
  const uint32_t index = add_veth("nlt0", "nlt1");
  ASSERT_TRUE(set_link_alias(socket_, index, "gatewayd:test"));
  ASSERT_TRUE(set_link_mtu(socket_, index, 1380));
  ASSERT_TRUE(set_link_up(socket_, index, false));
  auto link = find_link(socket_, "nlt0").value();
  EXPECT_EQ(link.alias, "gatewayd:test");
  EXPECT_EQ(link.mtu, 1380U);
  EXPECT_FALSE(link.up);
  EXPECT_FALSE(link.carrier);
  ASSERT_TRUE(set_link_alias(socket_, index, ""));
  ASSERT_TRUE(set_link_up(socket_, index, true));
  link = find_link(socket_, "nlt0").value();
  EXPECT_EQ(link.alias, "");
  EXPECT_TRUE(link.up);
}

TEST_F(Links, RefuseAnAliasThatIsTooLongAndKeepTheOld) {
  const uint32_t index = add_veth("nlt0", "nlt1");
  ASSERT_TRUE(set_link_alias(socket_, index, std::string(255, 'a')));
  EXPECT_EQ(set_link_alias(socket_, index, std::string(256, 'b')).error().code, EINVAL);
  EXPECT_EQ(find_link(socket_, "nlt0")->alias, std::string(255, 'a'));
}

TEST_F(Links, AreDeletedByIndex) {
  const uint32_t index = add_veth("nlt0", "nlt1");
  ASSERT_TRUE(delete_link(socket_, index));
  EXPECT_EQ(find_link(socket_, "nlt0").error().code, ENODEV);
  EXPECT_EQ(delete_link(socket_, index).error().code, ENODEV);
  EXPECT_EQ(delete_link(socket_, 0).error().code, ENODEV);
}

TEST_F(Links, ThatAreMissingAreNamedInTheError) {
  const auto missing = find_link(socket_, "nosuch0");
  EXPECT_EQ(missing.error().message(), "find network device nosuch0: No such device (ENODEV)");
}

TEST_F(Links, WithImpossibleNamesAreRefusedBeforeTheKernelIsAsked) {
  for (const char* name : {"", ".", "..", "a/b", "a b", "a:b", "wg%d", "sixteencharacter"}) {
    EXPECT_EQ(add_wireguard_link(socket_, name).error().code, EINVAL) << name;
    EXPECT_EQ(add_vlan_link(socket_, name, 1, 5).error().code, EINVAL) << name;
    EXPECT_EQ(find_link(socket_, name).error().code, ENODEV) << name;
  }
}

TEST_F(Links, WithATakenNameAreRefusedAndTheOwnerStays) {
  const uint32_t index = add_veth("nlt0", "nlt1");
  EXPECT_EQ(add_vlan_link(socket_, "nlt0", index, 5).error().code, EEXIST);
  EXPECT_EQ(add_wireguard_link(socket_, "nlt0").error().code, EEXIST);
  EXPECT_EQ(find_link(socket_, "nlt0")->kind, "veth");
}

// Kernels without 8021q exist, and their answer is part of what this layer passes on.
TEST_F(Links, OfAVlanKnowParentAndNumberOrTheKernelsRefusalIsPassedOn) {
  const uint32_t parent = add_veth("nlt0", "nlt1");
  const auto added = add_vlan_link(socket_, "nlt0.20", parent, 20);
  if (!added) {
    EXPECT_EQ(added.error().code, EOPNOTSUPP);
    EXPECT_EQ(added.error().message(),
              "create VLAN device nlt0.20: Operation not supported (EOPNOTSUPP): Unknown device type");
    return;
  }
  const auto link = find_link(socket_, "nlt0.20").value();
  EXPECT_EQ(link.kind, "vlan");
  EXPECT_EQ(link.parent, parent);
  EXPECT_EQ(link.vlan, 20);
  EXPECT_EQ(add_vlan_link(socket_, "other", parent, 20).error().code, EEXIST);
}

TEST_F(Links, TellTheKernelsOwnWordsOnAnError) {
  const uint32_t index = add_veth("nlt0", "nlt1");
  const auto refused = set_link_mtu(socket_, index, 1U << 30U);
  EXPECT_EQ(refused.error().code, EINVAL);
  EXPECT_EQ(refused.error().detail, "mtu greater than device maximum");
}

TEST_F(Links, AreReadWholeWhenThereAreMoreThanOneMessageHolds) {
  std::string batch;
  for (int i = 0; i < 150; ++i) {
    const auto number = std::to_string(i);
    batch += "link add nla" + number + " type veth peer name nlb" + number + "\n";
  }
  test::must({"ip", "-batch", "-"}, batch);
  EXPECT_EQ(list_links(socket_)->size(), 301U);
}

}  // namespace
}  // namespace gw::nl
