// SPDX-License-Identifier: Apache-2.0
#include "netlink/rule.h"

#include <algorithm>
#include <cerrno>

#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

constexpr uint8_t kProtocol = 0x68;

class Rules : public NetlinkTest {
 protected:
  std::vector<Rule> ours() { return list_rules(socket_, kProtocol).value(); }
};

std::vector<Rule> both_families(Rule rule) {
  rule.protocol = kProtocol;
  Rule six = rule;
  six.family = Family::v6;
  return {rule, six};
}

TEST_F(Rules, AreReadBackAsTheyWereWritten) {
  auto wanted = both_families({.priority = 100, .mark = 26480, .invert = true, .table = 26480});
  for (const Rule& rule : both_families({.priority = 99, .suppress_prefix_length = 0})) wanted.push_back(rule);
  for (const Rule& rule : wanted) {
    const auto added = add_rule(socket_, rule);
    ASSERT_TRUE(added) << added.error().message();
  }
  EXPECT_TRUE(std::ranges::is_permutation(ours(), wanted));
  EXPECT_EQ(add_rule(socket_, wanted.front()).error().code, EEXIST);
  const std::string shown = test::must("ip rule show") + test::must("ip -6 rule show");
  EXPECT_NE(shown.find("not from all fwmark 0x6770 lookup 26480"), std::string::npos) << shown;
  EXPECT_NE(shown.find("lookup main suppress_prefixlength 0"), std::string::npos) << shown;
  for (const Rule& rule : wanted) ASSERT_TRUE(delete_rule(socket_, rule));
  EXPECT_TRUE(ours().empty());
}

TEST_F(Rules, OfOthersAreNeitherListedNorDeleted) {
  test::must("ip rule add priority 100 table 77");
  EXPECT_TRUE(ours().empty());
  const Rule same{.priority = 100, .table = 77, .protocol = kProtocol};
  EXPECT_EQ(delete_rule(socket_, same).error().code, ENOENT);
  EXPECT_EQ(delete_rule(socket_, {.priority = 100, .table = 77}).error().code, EINVAL);
  EXPECT_NE(test::must("ip rule show").find("lookup 77"), std::string::npos);
}

}  // namespace
}  // namespace gw::nl
