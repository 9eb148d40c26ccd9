// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/dbus/bus_test.h"
#include "tests/unit/dbus/render.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kInvalid = "org.gatewayd.Error.InvalidArgument";

class ManagerTest : public BusTest {
 protected:
  std::string ask(const char* member, const std::function<void(sd_bus_message*)>& fill = {}) {
    const Reply reply = call(root_.get(), member, fill);
    EXPECT_EQ(reply.error, "") << reply.text;
    return render(reply.message.get());
  }
};

TEST_F(ManagerTest, CarriesTheWholeStatus) {
  controller_.status_answer = {.gateway = "contoso",
                               .version = "1.2.3",
                               .wireguard = "kernel",
                               .public_key = "key=",
                               .endpoint = "vpn.example:51820",
                               .listen_port = 51820,
                               .interfaces = {{"wg0", "vpn", "up", {"172.16.201.1/24"}, {"policy ingress"}}},
                               .peers_online = 1,
                               .peers = 2,
                               .clients = 3,
                               .applied_sequence = 4,
                               .applied_at = 5,
                               .confirmed = false,
                               .confirm_deadline = 6,
                               .files_differ = true,
                               .drift = {"- route"},
                               .repairs = 7,
                               .last_error = "oh",
                               .ill = {"no policy"},
                               .policy_generation = 8,
                               .rules = 9,
                               .fast_path = "eth1, eth2",
                               .pools = {{*Prefix::parse("172.16.201.0/24"), 253, 3}},
                               .drops = {{"no rule allows it", 11}},
                               .warnings = {"careful"}};
  EXPECT_EQ(
      ask("GetStatus"),
      R"({"gateway": "contoso", "version": "1.2.3", "wireguard": "kernel", "public_key": "key=", )"
      R"("endpoint": "vpn.example:51820", "listen_port": q 51820, "interfaces": [{"name": "wg0", "role": "vpn", )"
      R"("state": "up", "addresses": ["172.16.201.1/24"], "programs": ["policy ingress"]}], "peers_online": u 1, )"
      R"("peers": u 2, "clients": u 3, "applied_sequence": t 4, "applied_at": x 5, "confirmed": false, )"
      R"("confirm_deadline": x 6, "files_differ": true, "drift": ["- route"], "repairs": t 7, "last_error": "oh", )"
      R"("healthy": false, "ill": ["no policy"], "policy_generation": t 8, "rules": u 9, "fast_path": "eth1, eth2", "pools": [{"prefix": "172.16.201.0/24", "size": t 253, )"
      R"("allocated": t 3}], "drops": {"no rule allows it": t 11}, "warnings": ["careful"]})");
}

TEST_F(ManagerTest, CarriesThePlanWithItsDiagnostics) {
  controller_.plan_answer = {{"+ address 172.16.201.1/24 on wg0"},
                             {{config::Diagnostic::Severity::error, {"gateway.yaml", 7, 3}, "unknown key 'x'"}},
                             true};
  EXPECT_EQ(ask("GetPlan"),
            R"(["+ address 172.16.201.1/24 on wg0"] | ["gateway.yaml:7:3: error: unknown key 'x'"] | true)");
}

TEST_F(ManagerTest, AppliesConfirmsAndRollsBackInTheNameOfTheCaller) {
  EXPECT_EQ(ask("Apply", [](sd_bus_message* m) { sd_bus_message_append(m, "u", 60); }),
            R"({"sequence": t 7, "operations": ["~ policy"], "confirm_deadline": x 1000})");
  EXPECT_EQ(ask("Confirm"), "");
  EXPECT_EQ(ask("Rollback"), R"({"sequence": t 6, "operations": [], "confirm_deadline": x 0})");
  EXPECT_THAT(controller_.asked, ElementsAre("apply 60 by uid 0", "confirm by uid 0", "rollback by uid 0"));
}

TEST_F(ManagerTest, ListsSubnetsAndGroupsWithTheirNames) {
  config::Subnet data;
  data.prefixes = {*Prefix::parse("10.1.2.0/24")};
  data.interface = "eth1";
  data.vlan = 20;
  data.address = {*IpAddress::parse("10.1.2.1")};
  data.hosts["db"].addresses = {*IpAddress::parse("10.1.2.10"), *IpAddress::parse("10.1.2.11")};
  data.origin = {"gateway.yaml", 4, 3};
  controller_.config_answer.subnets["data"] = data;
  controller_.config_answer.groups["developers"] = {"people who ship", true, config::Tunnel::full, {}};
  EXPECT_EQ(
      ask("ListSubnets"),
      R"([{"name": "data", "prefixes": ["10.1.2.0/24"], "interface": "eth1", "vlan": q 20, "address": ["10.1.2.1"], )"
      R"("via": [], "description": "", "hosts": ["db=10.1.2.10", "db=10.1.2.11"], "origin": "gateway.yaml:4:3"}])");
  EXPECT_EQ(ask("ListGroups"),
            R"([{"name": "developers", "description": "people who ship", "interconnect": true, "tunnel": "full"}])");
}

TEST_F(ManagerTest, TakesAndListsSites) {
  const std::string key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
  ask("AddSite", [&](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "branch", 4, "public_key", "s", key.c_str(), "endpoint", "s",
                          "[2001:db8::1]:51820", "prefixes", "as", 1, "10.2.0.0/16", "keepalive", "q", 25);
  });
  EXPECT_THAT(controller_.asked, ElementsAre("add_site branch by uid 0"));
  EXPECT_EQ(controller_.site.endpoint->str(), "[2001:db8::1]:51820");
  EXPECT_EQ(controller_.site.keepalive, 25);
  const Reply bad = call(root_.get(), "AddSite", [&](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "branch", 3, "public_key", "s", "x", "endpoint", "s", "host", "prefixes", "as",
                          1, "10.2.0.1/16");
  });
  EXPECT_EQ(bad.error, kInvalid);
  for (const char* part : {"'x' in 'public_key'", "has no port", "10.2.0.1/16"}) EXPECT_THAT(bad.text, HasSubstr(part));
  controller_.sites_answer = {{"branch", controller_.site, true, 1700000000, "198.51.100.9:51820", 7, 8}};
  EXPECT_EQ(
      ask("ListSites"),
      R"([{"name": "branch", "public_key": "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", "endpoint": )"
      R"("[2001:db8::1]:51820", "prefixes": ["10.2.0.0/16"], "keepalive": q 25, "description": "", "online": true, )"
      R"("last_handshake": x 1700000000, "endpoint_now": "198.51.100.9:51820", "rx_bytes": t 7, "tx_bytes": t 8}])");
}

TEST_F(ManagerTest, TakesASubnetWithAnyIntegerTypeForItsVlan) {
  ask("AddSubnet", [](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "data", 5, "prefixes", "as", 2, "10.1.2.0/24", "fd00:2::/64", "interface", "s",
                          "eth1", "vlan", "i", 20, "via", "as", 1, "10.1.0.1", "hosts", "as", 2, "db=10.1.2.10",
                          "db=fd00:2::10");
  });
  EXPECT_THAT(controller_.asked, ElementsAre("add_subnet data by uid 0"));
  EXPECT_EQ(controller_.subnet.prefixes.size(), 2U);
  EXPECT_EQ(controller_.subnet.device(), "eth1.20");
  EXPECT_EQ(controller_.subnet.via.at(0).str(), "10.1.0.1");
  EXPECT_EQ(controller_.subnet.hosts.at("db").addresses.at(1).str(), "fd00:2::10");
}

TEST_F(ManagerTest, TellsEverythingThatIsWrongWithADictionaryAtOnce) {
  const Reply reply = call(root_.get(), "AddSubnet", [](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "data", 5, "prefixes", "as", 1, "10.1.2.7/24", "intrface", "s", "eth1", "vlan",
                          "u", 70000, "hosts", "as", 1, "db", "description", "b", 1);
  });
  EXPECT_EQ(reply.error, kInvalid);
  EXPECT_THAT(reply.text, HasSubstr("'10.1.2.7/24' in 'prefixes'"));
  EXPECT_THAT(reply.text, HasSubstr("unknown member 'intrface'; did you mean 'interface'?"));
  EXPECT_THAT(reply.text, HasSubstr("'db' in 'hosts' is not a name, '=' and an address"));
  EXPECT_THAT(reply.text, HasSubstr("'vlan' has to be from 0 to 65535"));
  EXPECT_THAT(reply.text, HasSubstr("'description' has to be a text"));
  EXPECT_THAT(controller_.asked, ::testing::IsEmpty());
}

TEST_F(ManagerTest, RefusesAMemberGivenTwiceAndTypesThatNoMemberHas) {
  const Reply twice = call(root_.get(), "AddGroup", [](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "g", 2, "description", "s", "a", "description", "s", "b");
  });
  EXPECT_EQ(twice.error, kInvalid);
  EXPECT_THAT(twice.text, HasSubstr("'description' is given twice"));
  const Reply odd = call(root_.get(), "AddGroup", [](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "g", 1, "description", "d", 1.5);
  });
  EXPECT_EQ(odd.error, kInvalid);
  EXPECT_THAT(odd.text, HasSubstr("no member has the type 'd'"));
}

TEST_F(ManagerTest, TakesARuleAndItsPlace) {
  ask("AddRule", [](sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}a{sv}", 6, "name", "s", "dev-web", "action", "s", "allow", "from", "as", 1,
                          "group:developers", "to", "as", 2, "subnet:web", "10.9.0.1/32", "services", "as", 2,
                          "tcp/443", "ssh", "log", "b", 1, 1, "before", "s", "no-data");
  });
  const config::Rule& rule = controller_.rule;
  EXPECT_EQ(rule.name, "dev-web");
  EXPECT_EQ(rule.action, config::Action::allow);
  EXPECT_EQ(rule.from.at(0).str(), "group:developers");
  EXPECT_EQ(rule.to.at(1).str(), "10.9.0.1/32");
  EXPECT_THAT(rule.service_names, ElementsAre("tcp/443", "ssh"));
  EXPECT_TRUE(rule.log);
  EXPECT_EQ(controller_.before, "no-data");
  EXPECT_EQ(controller_.after, std::nullopt);
}

TEST_F(ManagerTest, BlocksListsAndLetsInAgain) {
  ask("AddBlock", [](sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}", 3, "prefix", "s", "198.51.100.0/24", "ttl_seconds", "u", 3600U, "force", "b", 1);
  });
  EXPECT_EQ(controller_.new_block.prefix, "198.51.100.0/24");
  EXPECT_EQ(controller_.new_block.ttl_seconds, 3600U);
  EXPECT_TRUE(controller_.new_block.force);
  ask("RemoveBlock", [](sd_bus_message* m) { sd_bus_message_append(m, "s", "198.51.100.0/24"); });
  EXPECT_THAT(controller_.asked.back(), HasSubstr("remove_block 198.51.100.0/24"));
  controller_.blocks_answer = {{*Prefix::parse("198.51.100.0/24"), 1'800'000'000, "scans", "uid 0", 1}};
  const std::string listed = ask("ListBlocks");
  EXPECT_THAT(listed, AllOf(HasSubstr("198.51.100.0/24"), HasSubstr("1800000000"), HasSubstr("scans")));
}

TEST_F(ManagerTest, RefusesARuleWithoutActionOrWithUnknownWords) {
  const Reply reply = call(root_.get(), "AddRule", [](sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}a{sv}", 2, "action", "s", "permit", "from", "as", 1, "grup:x", 0);
  });
  EXPECT_EQ(reply.error, kInvalid);
  EXPECT_THAT(reply.text, HasSubstr("'permit' in 'action' is not one of allow, deny, reject"));
  EXPECT_THAT(reply.text, HasSubstr("'grup:x' in 'from'"));
}

TEST_F(ManagerTest, ListsRulesWithCountersAndLeavesOutWhatWasNeverSeen) {
  control::RuleStatus used;
  used.rule.name = "dev-web";
  used.rule.action = config::Action::reject;
  used.rule.from = {{config::Selector::Kind::group, "dev", {}}};
  used.rule.to = {{config::Selector::Kind::any, "", {}}};
  used.rule.services = {{config::Service::Kind::tcp, 443, 443}};
  used.rule.service_names = {"https"};
  used.rule.origin = {"gateway.yaml", 9, 5};
  used.hits = 2;
  used.packets = 30;
  used.bytes = 4000;
  used.idle_seconds = 5;
  control::RuleStatus unused;
  unused.rule.name = "built-in";
  unused.rule.built_in = true;
  controller_.rules_answer = {used, unused};
  EXPECT_EQ(
      ask("ListRules"),
      R"([{"name": "dev-web", "action": "reject", "from": ["group:dev"], "to": ["any"], "services": ["tcp/443"], )"
      R"("service_names": ["https"], "log": false, "built_in": false, "origin": "gateway.yaml:9:5", "hits": t 2, )"
      R"("packets": t 30, "bytes": t 4000, "idle_seconds": t 5}, {"name": "built-in", "action": "deny", "from": [], )"
      R"("to": [], "services": [], "service_names": [], "log": false, "built_in": true, "hits": t 0, "packets": t 0, )"
      R"("bytes": t 0}])");
}

TEST_F(ManagerTest, TakesANewClientAndAnswersWithWhatItsProfileIsMadeFrom) {
  controller_.profile_answer = {.client = "alice",
                                .addresses = {"172.16.201.4/32"},
                                .allowed_ips = {"10.1.1.0/24"},
                                .dns = {"172.16.201.1"},
                                .dns_domain = "vpn.internal",
                                .mtu = 1420,
                                .gateway_name = "contoso",
                                .gateway_public_key = "key=",
                                .endpoint = "vpn.example:51820",
                                .certificate_pem = "CERT",
                                .chain_pem = "CHAIN",
                                .not_after = 99};
  EXPECT_EQ(ask("AddClient",
                [](sd_bus_message* m) {
                  sd_bus_message_append(m, "a{sv}", 6, "name", "s", "alice", "request_pem", "s", "CSR", "groups", "as",
                                        2, "a", "b", "tunnel", "s", "full", "description", "s", "her laptop", "days",
                                        "u", 30);
                }),
            R"({"client": "alice", "addresses": ["172.16.201.4/32"], "allowed_ips": ["10.1.1.0/24"], )"
            R"("dns": ["172.16.201.1"], "dns_domain": "vpn.internal", "mtu": u 1420, "gateway_name": "contoso", )"
            R"("gateway_public_key": "key=", "endpoint": "vpn.example:51820", "certificate_pem": "CERT", )"
            R"("chain_pem": "CHAIN", "not_after": x 99, "tunnel": "split"})");
  const control::NewClient& client = controller_.new_client;
  EXPECT_EQ(client.request_pem, "CSR");
  EXPECT_THAT(client.groups, ElementsAre("a", "b"));
  EXPECT_EQ(client.tunnel, config::Tunnel::full);
  EXPECT_EQ(client.days, 30U);
}

TEST_F(ManagerTest, LeavesWhatAChangeDoesNotMentionAsItIs) {
  ask("SetClient", [](sd_bus_message* m) {
    sd_bus_message_append(m, "sa{sv}", "alice", 3, "add_groups", "as", 1, "ops", "tunnel", "s", "", "disabled", "b", 1);
  });
  EXPECT_THAT(controller_.asked, ElementsAre("set_client alice by uid 0"));
  EXPECT_EQ(controller_.change.groups, std::nullopt);
  EXPECT_THAT(controller_.change.add_groups, ElementsAre("ops"));
  EXPECT_EQ(controller_.change.tunnel, "");
  EXPECT_EQ(controller_.change.description, std::nullopt);
  EXPECT_EQ(controller_.change.disabled, true);
}

TEST_F(ManagerTest, TakesAnEmptyListOfGroupsForNoGroups) {
  ask("SetClient", [](sd_bus_message* m) { sd_bus_message_append(m, "sa{sv}", "alice", 1, "groups", "as", 0); });
  ASSERT_TRUE(controller_.change.groups);
  EXPECT_TRUE(controller_.change.groups->empty());
}

TEST_F(ManagerTest, PassesArgumentsOfClientMethodsInOrder) {
  const auto text = [](const char* types, auto... values) {
    return [=](sd_bus_message* m) { sd_bus_message_append(m, types, values...); };
  };
  ask("RenewClient", text("su", "alice", 90));
  ask("RekeyClient", text("ssu", "alice", "CSR", 91));
  ask("RevokeClient", text("ss", "alice", "keyCompromise"));
  ask("RemoveClient", text("s", "alice"));
  ask("ExportClient", text("s", "alice"));
  ask("RevokeCertificate", text("ss", "01ab", "superseded"));
  ask("Explain", text("sss", "alice", "subnet:web", "tcp/80"));
  EXPECT_THAT(
      controller_.asked,
      ElementsAre("renew_client alice 90 by uid 0", "rekey_client alice CSR 91 by uid 0",
                  "revoke_client alice keyCompromise by uid 0", "remove_client alice by uid 0", "export_client alice",
                  "revoke_certificate 01ab superseded by uid 0", "explain alice subnet:web tcp/80"));
}

TEST_F(ManagerTest, CarriesTheRevocationListAsBytesAndBothCertificatesOfTheAuthority) {
  EXPECT_EQ(ask("GetCrl"), "[y 48, y 0, y 255]");
  ask("RotateAuthority", [](sd_bus_message* m) { sd_bus_message_append(m, "s", "root"); });
  ask("ImportAuthority", [](sd_bus_message* m) { sd_bus_message_append(m, "sb", "PEMS", 1); });
  EXPECT_EQ(ask("RequestAuthority", [](sd_bus_message* m) { sd_bus_message_append(m, "s", "contoso"); }),
            R"("REQUEST")");
  EXPECT_THAT(controller_.asked,
              testing::IsSupersetOf({"rotate_authority root by uid 0", "import_authority PEMS cut off by uid 0",
                                     "request_authority contoso by uid 0"}));
  EXPECT_THAT(ask("ListCrls"), HasSubstr("BEGIN X509 CRL"));
  const std::string authority = ask("GetAuthority");
  EXPECT_THAT(authority, HasSubstr(R"("name": "root")"));
  EXPECT_THAT(authority, HasSubstr(R"("has_root_key": true)"));
  EXPECT_THAT(authority, HasSubstr(R"("clients": t 7)"));
  EXPECT_THAT(authority, HasSubstr(R"("name": "issuing")"));
}

TEST_F(ManagerTest, TellsWhatWentWrongByNameAndSentence) {
  controller_.error = Error{EBUSY, "remove group", "developers", "alice and bob are in it"};
  const Reply reply =
      call(root_.get(), "RemoveGroup", [](sd_bus_message* m) { sd_bus_message_append(m, "s", "developers"); });
  EXPECT_EQ(reply.error, "org.gatewayd.Error.Busy");
  EXPECT_EQ(reply.text, controller_.error->message());
  EXPECT_THAT(reply.text, HasSubstr("alice and bob are in it"));
}

TEST_F(ManagerTest, SendsTextThatIsNotUtf8WithQuestionMarks) {
  controller_.plan_answer.operations = {"caf\xe9 \xf0\x9f\x98\x80 \xed\xa0\x80"};
  EXPECT_EQ(ask("GetPlan"), "[\"caf? \xf0\x9f\x98\x80 ???\"] | [] | false");
  controller_.error = Error{EINVAL, "read", "caf\xe9", ""};
  EXPECT_THAT(call(root_.get(), "GetPlan").text, HasSubstr("read caf?"));
}

TEST_F(ManagerTest, AnswersPropertiesFromTheSummary) {
  controller_.summary_answer = {"contoso", "1.2.3", 4, 5, true};
  const Reply all = call(root_.get(), dbus::kManagerPath, "org.freedesktop.DBus.Properties", "GetAll",
                         [](sd_bus_message* m) { sd_bus_message_append(m, "s", dbus::kManagerInterface); });
  EXPECT_EQ(
      render(all.message.get()),
      R"({"Version": "1.2.3", "Name": "contoso", "AppliedSequence": t 4, "PolicyGeneration": t 5, "FilesDiffer": true})");
  EXPECT_THAT(controller_.asked, ElementsAre("summary")) << "asked once, not once a property";
}

TEST_F(ManagerTest, TellsOnceThatTheBusIsLost) {
  int lost = 0;
  std::function<void()> on_lost = [&] { ++lost; };
  ASSERT_TRUE(dbus::on_bus_lost(server_.get(), &on_lost));
  daemon_->stop();
  run_until([&] { return lost > 0; });
  EXPECT_EQ(lost, 1);
  service_.reset();
  server_.reset();
}

TEST_F(ManagerTest, TakesTheNameOnlyOnce) {
  const auto other = connect(kRoot);
  FakeController second;
  auto service = dbus::Service::attach(other.get(), second, kAdminGroup);
  ASSERT_TRUE(service);
  const auto claimed = (*service)->claim_name();
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().code, EEXIST);
  EXPECT_THAT(claimed.error().message(), HasSubstr("another gatewayd"));
}

TEST_F(ManagerTest, CarriesABackupAndARestorePieceByPiece) {
  EXPECT_EQ(ask("BeginBackup"), "t 7 | t 2000000");
  EXPECT_EQ(
      ask("ReadBackup", [](sd_bus_message* m) { sd_bus_message_append(m, "tt", uint64_t{7}, uint64_t{1048576}); }),
      "[y 0, y 255]");
  EXPECT_EQ(ask("BeginRestore"), "t 8");
  ask("WriteRestore", [](sd_bus_message* m) {
    sd_bus_message_append(m, "t", uint64_t{8});
    sd_bus_message_append_array(m, 'y', "abc", 3);
  });
  EXPECT_EQ(ask("Restore",
                [](sd_bus_message* m) {
                  sd_bus_message_append(m, "ta{sv}", uint64_t{8}, 2, "replace", "b", 1, "enable_clients", "b", 1);
                }),
            R"({"created": x 5, "gateway": "contoso", "version": "1.2.3", "clients": u 2, "disabled": ["alice"], )"
            R"("notes": ["note"]})");
  EXPECT_THAT(controller_.asked,
              ::testing::ElementsAre("begin_backup by uid 0", "read_backup 7 1048576", "begin_restore by uid 0",
                                     "write_restore 8 3 bytes", "restore 8 replace enable by uid 0"));
}

}  // namespace
}  // namespace gw::test
