// SPDX-License-Identifier: Apache-2.0
// Organisations in the registry, and the clients that came by them.
#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Names = std::vector<std::string>;

class TrustsTest : public RegistryTest {
 protected:
  static Trust trust(const std::string& name, std::vector<TrustMap> maps = {{"*", {"ops"}}}) {
    Trust out;
    out.name = name;
    out.authorities_pem = "root of " + name;
    out.maps = std::move(maps);
    out.who = "uid 0";
    return out;
  }
  static int64_t put(Registry& registry, const Trust& trust, bool replace = false, UnixSeconds now = kNow) {
    require(registry.put_trust(trust, replace, now));
    for (const Trust& one : value_of(registry.trusts())) {
      if (one.name == trust.name) return one.id;
    }
    return 0;
  }
  static Result<void> admit(Registry& registry, int64_t id, const std::string& name, uint32_t n,
                            const Names& groups = {"ops"}) {
    Client client = value_of(registry.plan_client(name, pools()));
    client.device_uuid = uuid(n);
    client.wireguard = key(n);
    client.groups = groups;
    return registry.admit_by_trust(id, {.client = name, .identity = "dns:" + name + ".example", .granted = groups},
                                   client, certificate(name, n, key(n)), "trust", kNow);
  }
  static Names groups_of(const Registry& registry, const std::string& name) {
    return value_of(registry.client(name)).groups;
  }
  static std::string last_audit(const Registry& registry) { return value_of(registry.audit(1)).front().what; }
};

TEST_F(TrustsTest, SurviveARestartWithTheirMapsInOrder) {
  Trust first = trust("contoso", {{"dns:*", {"b", "a", "b"}}, {"O:x", {}}, {"*", {"c"}}});
  first.crl_pem = "list";
  {
    Registry registry = open();
    first.id = put(registry, first);
    put(registry, trust("fabrikam"));
    EXPECT_EQ(last_audit(registry), "ca trust add fabrikam: * to ops");
  }
  const auto all = value_of(open().trusts());
  ASSERT_EQ(all.size(), 2U);
  first.maps.front().groups = {"a", "b"};
  first.created = kNow;
  EXPECT_EQ(all.front(), first);
  EXPECT_EQ(all.back().name, "fabrikam");
}

TEST_F(TrustsTest, AreReplacedOnlyWhenThatIsSaidAndKeepTheirListAndClients) {
  Registry registry = open();
  Trust wanted = trust("contoso");
  wanted.crl_pem = "list";
  const int64_t id = put(registry, wanted);
  require(admit(registry, id, "web", 1));
  EXPECT_EQ(code_of(registry.put_trust(trust("contoso"), false, kNow)), EEXIST);
  EXPECT_EQ(code_of(registry.put_trust(trust("nobody"), true, kNow)), ENOENT);
  wanted.authorities_pem = "another root";
  wanted.crl_pem = {};
  wanted.maps = {{"O:y", {"d"}}};
  EXPECT_EQ(put(registry, wanted, true, kNow + 1), id);
  const auto now = value_of(registry.trusts());
  ASSERT_EQ(now.size(), 1U);
  EXPECT_EQ(now.front().authorities_pem, "another root");
  EXPECT_EQ(now.front().crl_pem, "list");
  EXPECT_EQ(now.front().maps, wanted.maps);
  EXPECT_EQ(now.front().created, kNow);
  EXPECT_THAT(value_of(registry.trust_clients(id)), ElementsAre("web"));
  wanted.crl_pem = "newer";
  put(registry, wanted, true);
  EXPECT_EQ(value_of(registry.trusts()).front().crl_pem, "newer");
}

TEST_F(TrustsTest, TakeAnotherRevocationList) {
  Registry registry = open();
  put(registry, trust("contoso"));
  put(registry, trust("fabrikam"));
  require(registry.set_trust_crl("contoso", "list", "uid 0", kNow));
  EXPECT_EQ(value_of(registry.trusts()).front().crl_pem, "list");
  EXPECT_EQ(value_of(registry.trusts()).back().crl_pem, "");
  EXPECT_EQ(last_audit(registry), "ca trust crl contoso");
  EXPECT_EQ(code_of(registry.set_trust_crl("nobody", "list", "uid 0", kNow)), ENOENT);
}

TEST_F(TrustsTest, LeaveTheirClientsWhenTheyGoAndNumbersAreNotGivenTwice) {
  Registry registry = open();
  const int64_t id = put(registry, trust("contoso"));
  require(admit(registry, id, "web", 1));
  require(registry.remove_trust("contoso", "uid 0", kNow));
  EXPECT_THAT(value_of(registry.trusts()), IsEmpty());
  EXPECT_EQ(groups_of(registry, "web"), Names{"ops"});
  EXPECT_EQ(code_of(registry.trusted_client(id, "dns:web.example")), ENOENT);
  EXPECT_THAT(value_of(registry.trust_clients(id)), IsEmpty());
  EXPECT_EQ(code_of(registry.remove_trust("contoso", "uid 0", kNow)), ENOENT);
  EXPECT_GT(put(registry, trust("contoso")), id);
}

TEST_F(TrustsTest, KnowWhoCameByThem) {
  Registry registry = open();
  const int64_t one = put(registry, trust("one"));
  const int64_t other = put(registry, trust("other"));
  require(admit(registry, one, "web", 1, {"a", "b"}));
  require(admit(registry, other, "db", 2));
  const TrustedClient web{.client = "web", .identity = "dns:web.example", .granted = {"a", "b"}};
  EXPECT_EQ(value_of(registry.trusted_client(one, "dns:web.example")), web);
  EXPECT_EQ(code_of(registry.trusted_client(other, "dns:web.example")), ENOENT);
  EXPECT_EQ(code_of(registry.trusted_client(one, "dns:WEB.example")), ENOENT);
  require(registry.remove_client("web", "uid 0", kNow));
  EXPECT_EQ(code_of(registry.trusted_client(one, "dns:web.example")), ENOENT);
  EXPECT_THAT(value_of(registry.trust_clients(one)), IsEmpty());
}

TEST_F(TrustsTest, AdmitAClientAndWhatItCameByOrNeither) {
  Registry registry = open();
  const int64_t id = put(registry, trust("contoso"));
  EXPECT_EQ(code_of(admit(registry, id + 1, "web", 1)), ENOENT);
  EXPECT_EQ(code_of(registry.client("web")), ENOENT);
  require(admit(registry, id, "web", 1));
  // The same identity cannot have two clients.
  Client again = value_of(registry.plan_client("web2", pools()));
  again.device_uuid = uuid(2);
  again.wireguard = key(2);
  EXPECT_FALSE(registry.admit_by_trust(id, {.client = "web2", .identity = "dns:web.example", .granted = {}}, again,
                                       certificate("web2", 2, key(2)), "trust", kNow));
  EXPECT_EQ(code_of(registry.client("web2")), ENOENT);
  EXPECT_EQ(value_of(registry.certificates()).size(), 1U);
  require(registry.remove_trust("contoso", "uid 0", kNow));
  EXPECT_EQ(code_of(admit(registry, id, "db", 3)), ENOENT) << "it went in the meantime";
}

TEST_F(TrustsTest, GrantWhatTheMapsSayAndLeaveWhatAnOperatorGaveOrTook) {
  Registry registry = open();
  const int64_t id = put(registry, trust("contoso"));
  require(admit(registry, id, "web", 1, {"a", "b"}));
  Client changed = value_of(registry.client("web"));
  changed.groups = {"b", "mine"};  // a was taken, mine given
  require(registry.update_client(changed, "uid 0", kNow));
  const auto grant = [&](const Names& groups) {
    require(registry.grant_by_trust("web", groups, "trust", kNow));
    return groups_of(registry, "web");
  };
  EXPECT_EQ(grant({"a", "b"}), (Names{"b", "mine"})) << "the maps say nothing new";
  EXPECT_EQ(grant({"a", "b", "c"}), (Names{"b", "c", "mine"}));
  EXPECT_EQ(last_audit(registry), "client set web: groups b, c, mine");
  EXPECT_EQ(grant({"c", "mine"}), (Names{"c", "mine"}));
  EXPECT_EQ(grant({}), Names{}) << "what the maps granted too, the maps take";
  EXPECT_EQ(last_audit(registry), "client set web: groups none");
  EXPECT_EQ(grant({"a"}), Names{"a"}) << "granted anew";
  EXPECT_EQ(value_of(registry.trusted_client(id, "dns:web.example")).granted, Names{"a"});
  EXPECT_EQ(code_of(registry.grant_by_trust("nobody", {}, "trust", kNow)), ENOENT);
}

TEST_F(TrustsTest, OfABackupLetNobodyInUnlessClientsAreWanted) {
  Registry registry = open();
  const int64_t id = put(registry, trust("contoso"));
  require(admit(registry, id, "web", 1));
  Present present;
  present.disable_clients = false;
  require(registry.catch_up(present, "uid 0", kNow));
  EXPECT_EQ(value_of(registry.trusts()).front().maps.size(), 1U);
  present.disable_clients = true;
  require(registry.catch_up(present, "uid 0", kNow));
  EXPECT_THAT(value_of(registry.trusts()).front().maps, IsEmpty());
  EXPECT_THAT(value_of(registry.trust_clients(id)), ElementsAre("web"));
  EXPECT_THAT(last_audit(registry), HasSubstr("trusts without maps"));
}

TEST_F(TrustsTest, OfABackupAreAsTheyAreHere) {
  Registry registry = open();
  Trust backed_up = trust("contoso");
  backed_up.crl_pem = "old list";
  put(registry, backed_up);
  put(registry, trust("removed"));
  put(registry, trust("off", {{"O:x", {"ops"}}}));
  Present present;
  present.disable_clients = false;
  present.trusts = {trust("contoso", {{"dns:*", {"d"}}}), trust("off", {}), trust("later")};
  present.trusts->front().authorities_pem = "another root";
  require(registry.catch_up(present, "uid 0", kNow));
  const auto all = value_of(registry.trusts());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "contoso");
  EXPECT_EQ(all[0].authorities_pem, "another root");
  EXPECT_EQ(all[0].crl_pem, "old list") << "there is none here";
  EXPECT_EQ(all[0].maps, present.trusts->front().maps);
  EXPECT_EQ(all[1].name, "off");
  EXPECT_EQ(all[1].maps, (std::vector<TrustMap>{{"O:x", {"ops"}}})) << "it came out of a backup before";
}

}  // namespace
}  // namespace gw::registry
