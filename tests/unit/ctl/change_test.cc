// SPDX-License-Identifier: Apache-2.0
// Commands that change something: what they send, what they say, how they fail.
#include <gmock/gmock.h>

#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;

TEST_F(Gwctl, SubnetAddSendsWhatWasGivenAndSaysWhatIsNext) {
  gateway().answer("AddSubnet", json::array());
  EXPECT_EQ(told({"subnet", "add", "data", "--prefix", "10.1.2.0/24", "--prefix", "fd10:1:2::/64", "--interface",
                  "eth1", "--vlan", "20", "--address", "10.1.2.1", "--via", "10.1.0.1", "--host", "db=10.1.2.10",
                  "--description", "the ledgers"}),
            "Subnet data added, not applied yet: 'gwctl plan' shows what it does, 'gwctl apply' does it.\n");
  EXPECT_EQ(arguments_of("AddSubnet"),
            json::parse(R"(["data", {"prefixes": ["10.1.2.0/24", "fd10:1:2::/64"], "interface": "eth1", "vlan": 20,
                                                     "address": ["10.1.2.1"], "via": ["10.1.0.1"], "hosts": ["db=10.1.2.10"], "description": "the ledgers"}])"));
}

TEST_F(Gwctl, GroupAddSendsWhatWasGiven) {
  gateway().answer("AddGroup", json::array());
  told({"group", "add", "developers", "--interconnect", "--description", "people who ship", "--tunnel", "split"});
  EXPECT_EQ(
      arguments_of("AddGroup"),
      json::parse(R"(["developers", {"interconnect": true, "description": "people who ship", "tunnel": "split"}])"));
}

TEST_F(Gwctl, RuleAddTakesItsNameBehindItsLists) {
  gateway().answer("AddRule", json::array());
  told({"rule", "add", "--action", "allow", "--before", "no-data", "--log", "--from", "group:developers", "--to",
        "subnet:web", "--service", "tcp/443", "--service", "ssh", "dev-web"});
  EXPECT_EQ(arguments_of("AddRule"),
            json::parse(R"([{"name": "dev-web", "action": "allow", "from": ["group:developers"], "to": ["subnet:web"],
                             "services": ["tcp/443", "ssh"], "log": true}, {"before": "no-data"}])"));
}

TEST_F(Gwctl, ARuleWithoutServicesIsForAny) {
  gateway().answer("AddRule", json::array());
  told({"rule", "add", "r", "--action", "deny", "--from", "vpn", "--to", "any"});
  EXPECT_EQ(arguments_of("AddRule")[0]["services"], json::array({"any"}));
  EXPECT_EQ(arguments_of("AddRule")[1], json::object());
}

TEST_F(Gwctl, ApplyAtOnceShowsWhatWasDone) {
  gateway().answer("RemoveRule", json::array());
  gateway().answer("Apply", {json{{"sequence", 13}, {"operations", {"~ policy"}}, {"confirm_deadline", 0}}});
  EXPECT_EQ(told({"rule", "remove", "dev-web", "--apply"}),
            "Rule dev-web removed.\nApplied #13: 1 operation\n  ~ policy\n");
  EXPECT_EQ(arguments_of("Apply"), json::array({0}));
}

TEST_F(Gwctl, AnEditThatIsWrittenButNotAppliedSaysSo) {
  gateway().answer("AddGroup", json::array());
  gateway().refuse("Apply", "org.gatewayd.Error.Busy", "apply: an apply waits to be confirmed");
  const auto output = gwctl({"group", "add", "ops", "--apply"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.err,
            "gwctl: Group ops added in the configuration, but not applied: apply: an apply waits to be confirmed\n");
}

TEST_F(Gwctl, ARefusedEditIsNotApplied) {
  gateway().refuse("RemoveGroup", "org.gatewayd.Error.Busy",
                   "remove group developers: in use: it has the members alice, bob");
  const auto output = gwctl({"group", "remove", "developers", "--apply"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("it has the members alice, bob"));
  EXPECT_EQ(gateway().calls().size(), 1U);
}

TEST_F(Gwctl, PlanShowsWarningsAndOperations) {
  gateway().answer("GetPlan", {{"+ address 172.16.201.1/24 on wg0", "- peer bob"},
                               {"gateway.yaml:3:1: warning: group ops has no members"},
                               true});
  EXPECT_EQ(told({"plan"}),
            "gateway.yaml:3:1: warning: group ops has no members\n'gwctl apply' would do 2 operations:\n"
            "  + address 172.16.201.1/24 on wg0\n  - peer bob\n");
}

TEST_F(Gwctl, PlanSaysThatThereIsNothingToDo) {
  gateway().answer("GetPlan", {json::array(), json::array(), false});
  EXPECT_EQ(told({"plan"}), "Nothing to do: the kernel is as the files say.\n");
}

TEST_F(Gwctl, FilesThatDoNotLoadAreARefusalWithAllDiagnostics) {
  gateway().answer("GetPlan", {json::array(), {"gateway.yaml:3:1: error: one", "gateway.yaml:9:1: error: two"}, true});
  const auto output = gwctl({"plan"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("gateway.yaml:3:1: error: one\ngateway.yaml:9:1: error: two\n"));
}

TEST_F(Gwctl, ApplyWithConfirmTellsTheDeadline) {
  const int64_t soon = std::time(nullptr) + 90;
  gateway().answer("Apply", {json{{"sequence", 14}, {"operations", json::array()}, {"confirm_deadline", soon}}});
  const std::string out = told({"apply", "--confirm", "90"});
  EXPECT_EQ(arguments_of("Apply"), json::array({90}));
  EXPECT_THAT(out, HasSubstr("Applied #14: the kernel was as the files say\n"));
  EXPECT_THAT(out, testing::ContainsRegex("It goes back in [89][0-9] s unless you run 'gwctl confirm'"));
}

TEST_F(Gwctl, ConfirmAndRollbackAreCalls) {
  gateway().answer("Confirm", json::array());
  gateway().answer("Rollback", {json{{"sequence", 15}, {"operations", {"~ policy"}}}});
  told({"confirm"});
  EXPECT_THAT(told({"rollback"}), HasSubstr("Applied #15"));
}

TEST_F(Gwctl, ClientSetSendsOnlyWhatIsToChange) {
  gateway().answer("SetClient", json::array());
  told({"client", "set", "alice", "--add-group", "ops", "--remove-group", "developers", "--tunnel", "default",
        "--disable"});
  EXPECT_EQ(
      arguments_of("SetClient"),
      json::parse(
          R"(["alice", {"add_groups": ["ops"], "remove_groups": ["developers"], "tunnel": "", "disabled": true}])"));
}

TEST_F(Gwctl, RevokeAsksNothingAndGivesTheReason) {
  gateway().answer("RevokeClient", json::array());
  EXPECT_EQ(told({"client", "revoke", "bob", "--reason", "keyCompromise"}),
            "Client bob is revoked: none of its packets pass any more.\n");
  EXPECT_EQ(arguments_of("RevokeClient"), (json::array({"bob", "keyCompromise"})));
}

TEST_F(Gwctl, RemovalsAndCertificateRevocationsAreCalls) {
  gateway().answer("RemoveClient", json::array());
  gateway().answer("RevokeCertificate", json::array());
  gateway().answer("RemoveSubnet", json::array());
  told({"client", "remove", "bob"});
  told({"cert", "revoke", "4f2a"});
  told({"subnet", "remove", "web"});
  EXPECT_EQ(arguments_of("RemoveClient"), json::array({"bob"}));
  EXPECT_EQ(arguments_of("RevokeCertificate"), (json::array({"4f2a", "unspecified"})));
  EXPECT_EQ(arguments_of("RemoveSubnet"), json::array({"web"}));
}

TEST_F(Gwctl, EveryChangeAnswersInJson) {
  for (const char* method : {"AddGroup", "Confirm", "SetClient", "RevokeClient", "RemoveClient"})
    gateway().answer(method, json::array());
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"group", "add", "ops"},
                                             {"confirm"},
                                             {"client", "set", "a", "--enable"},
                                             {"client", "revoke", "a"},
                                             {"client", "remove", "a"}}) {
    auto with_json = command;
    with_json.emplace_back("--json");
    EXPECT_TRUE(json::accept(told(with_json))) << command[0];
  }
}

}  // namespace
}  // namespace gw::ctl::test
