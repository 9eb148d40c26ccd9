// SPDX-License-Identifier: Apache-2.0
// gwctl token: what it sends, what it says, what it refuses.
#include <gmock/gmock.h>

#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kLink = "https://vpn.contoso.example/join#token=aaaaaaaaaaaaaaaaaaaaaaaaaa&ca=00";

json handout(const char* pin) {
  return json::array(
      {{{"id", 3U}, {"token", "aaaaaaaaaaaaaaaaaaaaaaaaaa"}, {"link", kLink}, {"pin", pin}, {"expires", 4102444800}}});
}

TEST_F(Gwctl, TokenCreateSendsWhatTheDeviceWillBe) {
  gateway().answer("CreateToken", handout("cGlu"));
  told({"token", "create", "--group", "developers", "--group", "ops", "--name", "laptop", "--ttl", "1h", "--days", "7",
        "--tunnel", "full", "--description", "hers"});
  EXPECT_EQ(arguments_of("CreateToken"),
            json::parse(R"([{"name": "laptop", "groups": ["developers", "ops"], "description": "hers",
                             "ttl_seconds": 3600, "uses": 1, "days": 7, "tunnel": "full"}])"));
}

TEST_F(Gwctl, TokenCreateShowsTheLinkAndACommandThatKnowsTheGateway) {
  gateway().answer("CreateToken", handout("cGlu"));
  EXPECT_THAT(
      told({"token", "create", "--group", "developers"}),
      AllOf(HasSubstr("for 1 device in developers"), HasSubstr("gwconnect join '" + std::string(kLink) + "'"),
            HasSubstr("--pinnedpubkey 'sha256//cGlu' https://vpn.contoso.example/join.sh"), Not(HasSubstr("▀"))));
  EXPECT_THAT(told({"token", "create", "--qr"}), HasSubstr("▀"));
}

TEST_F(Gwctl, TokenCreateTellsWhenNoServerHasShownItself) {
  gateway().answer("CreateToken", handout(""));
  const auto made = gwctl({"token", "create"});
  EXPECT_EQ(made.status, 0);
  EXPECT_THAT(made.out, Not(HasSubstr("curl")));
  EXPECT_THAT(made.err, HasSubstr("gatewayd-enroll.socket"));
}

TEST_F(Gwctl, TokensAreListedWithWhatBecameOfThem) {
  gateway().answer(
      "ListTokens",
      json::array({json::array(
          {{{"id", 4U}, {"uses", 1U}, {"used", 0U}, {"expires", 4102444800}, {"who", "uid 0"}},
           {{"id", 3U},
            {"uses", 2U},
            {"used", 2U},
            {"expires", 4102444800},
            {"who", "uid 0"},
            {"groups", {"ops"}},
            {"clients", {"alice", "bob"}}},
           {{"id", 2U}, {"uses", 1U}, {"used", 0U}, {"expires", 1}, {"who", "uid 0"}},
           {{"id", 1U}, {"uses", 1U}, {"used", 1U}, {"expires", 1}, {"revoked_at", 5}, {"who", "user a"}}})}));
  const std::string out = told({"token", "list"});
  EXPECT_THAT(out, AllOf(HasSubstr("4  holds    0 of 1"), HasSubstr("3  used     2 of 2"), HasSubstr("alice, bob"),
                         HasSubstr("2  ended    0 of 1"), HasSubstr("1  revoked  1 of 1")));
}

TEST_F(Gwctl, TokenRevokeTakesItsNumber) {
  gateway().answer("RevokeToken", json::array());
  EXPECT_THAT(told({"token", "revoke", "3"}), HasSubstr("Token 3 holds no more."));
  EXPECT_EQ(arguments_of("RevokeToken"), json::parse("[3]"));
  EXPECT_EQ(gwctl({"token", "revoke", "three"}).status, 2);
}

}  // namespace
}  // namespace gw::ctl::test
