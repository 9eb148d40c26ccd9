// SPDX-License-Identifier: Apache-2.0
#include "netlink/card.h"

#include "netlink/generic.h"
#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

class Cards : public NetlinkTest {
 protected:
  Card card(const std::string& name) {
    const auto cards = list_cards(generic_, list_links(socket_).value()).value();
    return cards.at(index_of(name));
  }
  Socket generic_ = Socket::open(NETLINK_GENERIC).value();
};

TEST_F(Cards, SayThatTheyRunProgramsInTheDriver) {
  add_veth("nlt0", "nlt1");
  EXPECT_TRUE(card("nlt0").native);
  EXPECT_TRUE(card("nlt0").defers_checksums);
}

TEST_F(Cards, AreOnlyEthernetDevices) {
  const auto cards = list_cards(generic_, list_links(socket_).value()).value();
  EXPECT_FALSE(cards.contains(index_of("lo")));
}

// A veth takes redirected frames while its peer polls for them, which generic receive offload makes it do. Linux before
// 6.3 cannot tell: there it is believed to.
TEST_F(Cards, TakeRedirectedFramesWhenTheOtherEndPolls) {
  const bool told = find_family(generic_, "netdev").has_value();
  add_veth("nlt0", "nlt1");
  EXPECT_EQ(card("nlt0").transmit, !told);
  test::must("ethtool -K nlt1 gro on");
  EXPECT_TRUE(card("nlt0").transmit);
  EXPECT_EQ(card("nlt1").transmit, !told);
}

TEST_F(Cards, SayWhetherTheyHideVlanTags) {
  add_veth("nlt0", "nlt1");
  EXPECT_TRUE(card("nlt0").strips_vlan);
  test::must("ethtool -K nlt0 rxvlan off");
  EXPECT_FALSE(card("nlt0").strips_vlan);
}

}  // namespace
}  // namespace gw::nl
