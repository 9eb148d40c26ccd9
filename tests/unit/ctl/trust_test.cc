// SPDX-License-Identifier: Apache-2.0
// gwctl ca trust: what it sends, what it says, what it refuses.
#include <gmock/gmock.h>

#include "gatewayd/base/file.h"
#include "tests/support/must.h"
#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

json trust() {
  return {{"name", "contoso"},
          {"maps", {"dns:*.lab.example=developers", "*=ops"}},
          {"authorities_pem", "ROOT\n"},
          {"not_after", 4102444800},
          {"clients", {"alice", "bob"}},
          {"link", "https://vpn.contoso.example/join#ca=00"},
          {"who", "uid 0"}};
}

TEST_F(Gwctl, CaTrustAddSendsTheRootAndTheMaps) {
  gw::test::must(write_file_atomically(directory() / "root.pem", "ROOT", 0600));
  gateway().answer("AddTrust", json::array({trust()}));
  const std::string out = told({"ca", "trust", "add", "root.pem", "--map", "dns:*.lab.example=developers,ops", "--map",
                                "*=ops", "--name", "contoso"});
  EXPECT_EQ(arguments_of("AddTrust"), json::parse(R"([{"name": "contoso", "authorities_pem": "ROOT", "replace": false,
                             "maps": ["dns:*.lab.example=developers,ops", "*=ops"]}])"));
  EXPECT_THAT(out, AllOf(HasSubstr("let their holders enrol, until 2100-01-01"), HasSubstr("    *=ops\n"),
                         HasSubstr("gwconnect join 'https://vpn.contoso.example/join#ca=00' --certificate FILE")));
}

TEST_F(Gwctl, CaTrustAddRefusesAPrivateKeyAndNoMap) {
  gw::test::must(write_file_atomically(directory() / "key.pem", "-----BEGIN PRIVATE KEY-----", 0600));
  const auto refused = gwctl({"ca", "trust", "add", "key.pem", "--map", "*=ops"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("holds a private key"));
  EXPECT_EQ(gwctl({"ca", "trust", "add", "key.pem"}).status, 2);
  EXPECT_EQ(gwctl({"ca", "trust", "add", "nosuch", "--map", "*=ops"}).status, 1);
}

TEST_F(Gwctl, CaTrustListShowsWhoMayComeAndWhoDid) {
  json second = trust();
  second["name"] = "fabrikam";
  second["has_crl"] = true;
  second["crl_next_update"] = 5;
  gateway().answer("ListTrusts", json::array({json::array({trust(), second})}));
  EXPECT_THAT(told({"ca", "trust", "list"}), AllOf(HasSubstr("dns:*.lab.example=developers; *=ops"), HasSubstr("late"),
                                                   HasSubstr("fabrikam"), HasSubstr("join#ca=00")));
  EXPECT_EQ(told({"ca", "trust", "list", "--pem"}), "ROOT\nROOT\n");
}

TEST_F(Gwctl, CaTrustRemoveTellsWhoStays) {
  gateway().answer("RemoveTrust", json::array({json::array({"alice", "bob"})}));
  EXPECT_THAT(told({"ca", "trust", "remove", "contoso"}),
              HasSubstr("2 clients that came by it keep their access until gwctl client revoke: alice, bob."));
  EXPECT_EQ(arguments_of("RemoveTrust"), json::parse(R"(["contoso", false])"));
  EXPECT_THAT(told({"ca", "trust", "remove", "contoso", "--revoke-clients"}), HasSubstr("revoked, alice, bob."));
}

TEST_F(Gwctl, CaTrustCrlWantsAList) {
  gw::test::must(write_file_atomically(directory() / "list", "nothing", 0600));
  const auto refused = gwctl({"ca", "trust", "crl", "contoso", "list"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("neither PEM nor DER"));
}

}  // namespace
}  // namespace gw::ctl::test
