// SPDX-License-Identifier: Apache-2.0
// gwctl block: what it sends, what it says, what it refuses.
#include <gmock/gmock.h>

#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;

TEST_F(Gwctl, BlockAddSendsThePrefixItsTimeToLiveAndWhy) {
  gateway().answer("AddBlock", json::array());
  EXPECT_EQ(told({"block", "add", "198.51.100.0/24", "--ttl", "2h", "--comment", "scans all night"}),
            "198.51.100.0/24 blocked for 2h.\n");
  EXPECT_EQ(arguments_of("AddBlock"),
            json::parse(R"([{"prefix": "198.51.100.0/24", "ttl_seconds": 7200, "comment": "scans all night",
                             "force": false}])"));
}

TEST_F(Gwctl, BlockAddHasNoEndUnlessOneIsGiven) {
  gateway().answer("AddBlock", json::array());
  EXPECT_EQ(told({"block", "add", "2001:db8::7"}), "2001:db8::7 blocked.\n");
  EXPECT_EQ(arguments_of("AddBlock")[0]["ttl_seconds"], 0);
}

TEST_F(Gwctl, BlockAddDoesNotCutOffItsOwnSessionUnlessForced) {
  gateway().answer("AddBlock", json::array());
  const std::vector<std::string> session = {"SSH_CONNECTION=198.51.100.9 50022 203.0.113.1 22"};
  const auto refused = gwctl({"block", "add", "198.51.100.0/24"}, session);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("your own connection comes from 198.51.100.9"));
  EXPECT_EQ(gwctl({"block", "add", "198.51.101.0/24"}, session).status, 0) << "not in it";
  EXPECT_EQ(gwctl({"block", "add", "198.51.100.0/24", "--force"}, session).status, 0);
}

TEST_F(Gwctl, BlockAddRefusesWhatIsNoPrefixAndNoTime) {
  for (const char* ttl : {"1", "h", "0s", "1w", "-1h", "1h30m", "99999999999999999999s", "4000d"}) {
    const auto refused = gwctl({"block", "add", "198.51.100.0/24", "--ttl", ttl});
    EXPECT_EQ(refused.status, 2) << ttl;
    EXPECT_THAT(refused.err, HasSubstr("--ttl")) << ttl;
  }
  EXPECT_EQ(gwctl({"block", "add", "198.51.100.7/24"}).status, 2) << "host bits";
}

TEST_F(Gwctl, BlocksAreListedWithTheirEnds) {
  gateway().answer("ListBlocks", {recorded("blocks")});
  EXPECT_EQ(told({"block", "list"}),
            R"(PREFIX           ENDS    SINCE      BY          COMMENT
198.51.100.0/24  in 2 h  5 min ago  uid 0       scans all night
2001:db8::/32    never   3 h ago    user alice  -
)");
  EXPECT_EQ(json::parse(told({"--json", "block", "list"}))[0]["prefix"], "198.51.100.0/24");
}

TEST_F(Gwctl, NothingBlockedSaysHow) {
  gateway().answer("ListBlocks", {json::array()});
  EXPECT_THAT(told({"block", "list"}), HasSubstr("gwctl block add PREFIX"));
}

TEST_F(Gwctl, BlockRemoveSendsThePrefix) {
  gateway().answer("RemoveBlock", json::array());
  EXPECT_EQ(told({"block", "remove", "198.51.100.0/24"}), "198.51.100.0/24 is no longer blocked.\n");
  EXPECT_EQ(arguments_of("RemoveBlock"), json::array({"198.51.100.0/24"}));
}

}  // namespace
}  // namespace gw::ctl::test
