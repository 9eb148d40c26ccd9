// SPDX-License-Identifier: Apache-2.0
// One-time invitations in the registry.
#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

using testing::ElementsAre;

class TokensTest : public RegistryTest {
 protected:
  static Token token(uint8_t n, uint32_t uses = 1) {
    Token out;
    out.groups = {"developers"};
    out.tunnel = config::Tunnel::full;
    out.description = "laptop";
    out.hash.fill(n);
    out.uses = uses;
    out.expires = kNow + 900;
    out.created = kNow;
    out.who = "uid 0";
    return out;
  }
  static Client client(const Registry& registry, const std::string& name, uint32_t n) {
    Client out = value_of(registry.plan_client(name, pools()));
    out.device_uuid = uuid(n);
    out.wireguard = key(n);
    return out;
  }
  static Result<void> redeem(Registry& registry, int64_t id, const std::string& name, uint32_t n,
                             UnixSeconds now = kNow) {
    return registry.redeem_token(id, client(registry, name, n), certificate(name, n, key(n)), "token", now);
  }
};

TEST_F(TokensTest, SurviveARestart) {
  Token wanted = token(1);
  {
    Registry registry = open();
    wanted.id = value_of(registry.add_token(wanted, kNow));
  }
  EXPECT_EQ(value_of(open().token(wanted.hash)), wanted);
  EXPECT_THAT(value_of(open().tokens()), ElementsAre(wanted));
  EXPECT_EQ(code_of(open().token(token(2).hash)), ENOENT);
}

TEST_F(TokensTest, MakeAsManyClientsAsTheyAreFor) {
  Registry registry = open();
  const int64_t id = value_of(registry.add_token(token(1, 2), kNow));
  require(redeem(registry, id, "alice", 1));
  require(redeem(registry, id, "bob", 2));
  EXPECT_EQ(code_of(redeem(registry, id, "carol", 3)), EACCES);
  EXPECT_EQ(code_of(registry.client("carol")), ENOENT);
  const Token used = value_of(registry.token(token(1).hash));
  EXPECT_EQ(used.used, 2U);
  EXPECT_THAT(used.clients, ElementsAre("alice", "bob"));
  EXPECT_EQ(value_of(registry.token_certificate(id, key(1))).client, "alice");
  EXPECT_EQ(code_of(registry.token_certificate(id, key(3))), ENOENT);
}

TEST_F(TokensTest, ArentUsedUpByAClientThatCannotBe) {
  Registry registry = open();
  add(registry, "alice", 1);
  const int64_t id = value_of(registry.add_token(token(1), kNow));
  Client same = client(registry, "bob", 2);
  same.wireguard = key(1);
  EXPECT_EQ(code_of(registry.redeem_token(id, same, certificate("bob", 2, key(1)), "token", kNow)), EEXIST);
  EXPECT_EQ(value_of(registry.token(token(1).hash)).used, 0U);
  require(redeem(registry, id, "bob", 2));
}

TEST_F(TokensTest, HoldNoMoreWhenRevokedOrEnded) {
  Registry registry = open();
  const int64_t revoked = value_of(registry.add_token(token(1), kNow));
  require(registry.revoke_token(revoked, "uid 0", kNow));
  EXPECT_EQ(code_of(redeem(registry, revoked, "alice", 1)), EACCES);
  const int64_t late = value_of(registry.add_token(token(2), kNow));
  EXPECT_EQ(code_of(redeem(registry, late, "alice", 1, kNow + 900)), EACCES);
  require(redeem(registry, late, "alice", 1, kNow + 899));
  EXPECT_EQ(code_of(registry.revoke_token(99, "uid 0", kNow)), ENOENT);
}

TEST_F(TokensTest, VanishAWhileAfterTheirEnd) {
  Registry registry = open();
  value_of(registry.add_token(token(1), kNow));
  const int64_t revoked = value_of(registry.add_token(token(2), kNow));
  require(registry.revoke_token(revoked, "uid 0", kNow));
  require(registry.remove_ended_tokens(kNow - 1));
  EXPECT_EQ(value_of(registry.tokens()).size(), 2U);
  require(registry.remove_ended_tokens(kNow));
  EXPECT_EQ(value_of(registry.tokens()).size(), 1U);
  require(registry.remove_ended_tokens(kNow + 900));
  EXPECT_TRUE(value_of(registry.tokens()).empty());
  EXPECT_GT(value_of(registry.add_token(token(3), kNow)), revoked) << "a number is not given twice";
}

TEST_F(TokensTest, KnowTheServersKey) {
  EXPECT_EQ(value_of(open().front_key()), "");
  {
    Registry registry = open();
    require(registry.set_front_key("abc="));
  }
  EXPECT_EQ(value_of(open().front_key()), "abc=");
}

}  // namespace
}  // namespace gw::registry
