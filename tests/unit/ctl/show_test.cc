// SPDX-License-Identifier: Apache-2.0
// What the commands that only look print, to the letter.
#include <gmock/gmock.h>

#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(Gwctl, StatusTellsEverythingAtAGlance) {
  gateway().answer("GetStatus", {recorded("status")});
  EXPECT_EQ(told({"status"}),
            R"(gateway     contoso (gatewayd 0.1.0)
wireguard   userspace (wireguard-go), not for production
endpoint    vpn.contoso.example:51820, listening on port 51820
public key  xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
applied     #12, 3 min ago, confirmed
files       as applied
drift       none, 2 repairs since start
policy      generation 42, 7 rules
fast path   off (eth2: no XDP in its driver)
peers       2 of 3 online (4 clients)

INTERFACE  ROLE         STATE    ADDRESSES                        PROGRAMS
eth0       public       up       5.5.5.1, 2a0d:5::1               -
eth1       subnet web   up       10.1.1.1, fd10:1:1::1            policy ingress
eth2       subnet data  missing  -                                -
wg0        vpn          up       172.16.201.1, fd6d:706e:6c61::1  policy ingress, policy egress

POOL                 TAKEN    OF
172.16.201.0/24          4   252
fd6d:706e:6c61::/64      4  2^64

DROPPED  BECAUSE
      3  address is not the client's own
     48  no rule allows it

warning: client carol is in group contractors, which the configuration does not have: it grants nothing
)");
}

TEST_F(Gwctl, StatusSaysWhatNeedsAHand) {
  json status = recorded("status");
  status["files_differ"] = true;
  status["confirmed"] = false;
  status["confirm_deadline"] = recorded("profile")["not_after"].get<int64_t>() - 31535970 + 44;
  status["drift"] = {"route 10.1.9.0/24 is missing"};
  status["last_error"] = "add route 10.1.9.0/24: Network is unreachable";
  gateway().answer("GetStatus", {status});
  const std::string out = told({"status"});
  EXPECT_THAT(out, HasSubstr("not confirmed: goes back in 4"));
  EXPECT_THAT(out, HasSubstr("unless you run 'gwctl confirm'"));
  EXPECT_THAT(out, HasSubstr("files       differ from what is applied: run 'gwctl plan'\n"));
  EXPECT_THAT(out, HasSubstr("drift       1 difference that could not be mended, 2 repairs since start\n"
                             "            route 10.1.9.0/24 is missing\n"
                             "error       add route 10.1.9.0/24: Network is unreachable\n"));
}

TEST_F(Gwctl, HealthIsOneExitCode) {
  json status = recorded("status");
  gateway().answer("GetStatus", {status});
  EXPECT_EQ(told({"status", "--health"}), "The gateway is healthy.\n");
  EXPECT_EQ(json::parse(told({"status", "--health", "--json"})), (json{{"healthy", true}}));
  status["healthy"] = false;
  status["ill"] = {"not done: ~ policy (all tables)", "the public interface eth0 is missing"};
  gateway().answer("GetStatus", {status});
  const auto ill = gwctl({"status", "--health"});
  EXPECT_EQ(ill.status, 1);
  EXPECT_EQ(ill.out, "");
  EXPECT_EQ(ill.err,
            "gwctl: the gateway is not healthy:\n  not done: ~ policy (all tables)\n"
            "  the public interface eth0 is missing\n");
  EXPECT_THAT(told({"status"}), HasSubstr("ill         not done: ~ policy (all tables)\n"));
  status.erase("healthy");
  gateway().answer("GetStatus", {status});
  EXPECT_EQ(gwctl({"status", "--health"}).status, 1) << "of another version, which says nothing";
  gateway_goes();
  EXPECT_EQ(gwctl({"status", "--health"}).status, 3);
}

TEST_F(Gwctl, StatusOfAGatewayThatHasNothingYetIsAnAnswer) {
  gateway().answer("GetStatus", {json{{"gateway", "new"}, {"version", "0.1.0"}, {"wireguard", "kernel"}}});
  EXPECT_THAT(told({"status"}), HasSubstr("applied     nothing yet: run 'gwctl apply'\n"));
}

TEST_F(Gwctl, JsonIsWhatTheGatewaySaid) {
  const json status = recorded("status");
  gateway().answer("GetStatus", {status});
  EXPECT_EQ(json::parse(told({"status", "--json"})), status);
  EXPECT_EQ(json::parse(told({"--json", "status"})), status);
}

TEST_F(Gwctl, PrintsNoColoursWhenItsOutputIsNoTerminal) {
  gateway().answer("GetStatus", {recorded("status")});
  EXPECT_THAT(told({"status"}), Not(HasSubstr("\033")));
}

TEST_F(Gwctl, PrintsColoursOnATerminalButNotWithNoColor) {
  gateway().answer("GetStatus", {recorded("status")});
  // script(1) runs a command on a terminal of its own.
  const std::string command =
      "env TERM=xterm DBUS_SYSTEM_BUS_ADDRESS=" + bus().address() + " " + GW_BINARY_DIR "/gwctl status";
  EXPECT_THAT(gw::test::run({"script", "-qec", command, "/dev/null"}).out, HasSubstr("\033[32mup"));
  EXPECT_THAT(gw::test::run({"env", "NO_COLOR=1", "script", "-qec", command, "/dev/null"}).out, Not(HasSubstr("\033")));
}

TEST_F(Gwctl, RulesAreListedInOrderWithWhatTheyMet) {
  gateway().answer("ListRules", {recorded("rules")});
  EXPECT_EQ(
      told({"rule", "list"}),
      R"(#  NAME      ACTION    FROM              TO           SERVICES    FLOWS  PACKETS    BYTES  LAST SEEN  WRITTEN AT
1  dev-web   allow     group:developers  subnet:web   tcp/80,ssh     12     3400  4.2 MiB  3 s ago    gateway.yaml:14:5
2  no-data   deny log  vpn               subnet:data  any             -        2    120 B  90 s ago   gateway.d/90-gwctl.yaml:9:5
3  mail      reject    any               internet     smtp            -        0      0 B  never      gateway.yaml:16:5
4  vpn-ping  allow     vpn               gateway      ping            1        2    168 B  2 h ago    built in
What no rule matches is denied.
)");
}

TEST_F(Gwctl, ClientsAreListedWithWhatMattersAboutEach) {
  gateway().answer("ListClients", {recorded("clients")});
  EXPECT_EQ(
      told({"client", "list"}),
      R"(NAME   STATE    ADDRESSES                        GROUPS                  ENDS         LAST HANDSHAKE      IN      OUT  DENIED  LAST SEEN
alice  online   172.16.201.3, fd6d:706e:6c61::3  developers              in 364 days  2 min ago       12 MiB  1.5 KiB      48  4 s ago
bob    offline  172.16.201.4, fd6d:706e:6c61::4  contractors,developers  in 10 days   never              0 B      0 B       0  never
carol  revoked  172.16.201.5                     -                       in 364 days  8 min ago          0 B      0 B       7  10 min ago
)");
}

TEST_F(Gwctl, ClientsAreListedWithTheirNamesWhereSomeAreServed) {
  json clients = recorded("clients");
  clients[0]["dns_name"] = "alice.vpn.internal";
  gateway().answer("ListClients", {clients});
  const std::string out = told({"client", "list"});
  EXPECT_THAT(out, HasSubstr("NAME   STATE    DNS NAME            ADDRESSES"));
  EXPECT_THAT(out, HasSubstr("alice  online   alice.vpn.internal  172.16.201.3"));
  EXPECT_THAT(out, HasSubstr("carol  revoked  -                   172.16.201.5"));
  gateway().answer("GetClient", {clients[0]});
  EXPECT_THAT(told({"client", "show", "alice"}), HasSubstr("DNS name            alice.vpn.internal\n"));
}

TEST_F(Gwctl, ClientsAreListedWithTheirWayWhereOneComesThroughTls) {
  json clients = recorded("clients");
  clients[0]["transport"] = "udp";
  clients[2].update({{"endpoint", "127.0.0.1:40001"}, {"transport", "tls"}});
  gateway().answer("ListClients", {clients});
  const std::string out = told({"client", "list"});
  EXPECT_THAT(out, HasSubstr("NAME   STATE    VIA  ADDRESSES"));
  EXPECT_THAT(out, HasSubstr("alice  online   UDP  172.16.201.3"));
  EXPECT_THAT(out, HasSubstr("bob    offline  -    172.16.201.4"));
  EXPECT_THAT(out, HasSubstr("carol  revoked  TLS  172.16.201.5"));
  EXPECT_THAT(told({"--json", "client", "list"}), HasSubstr("\"transport\": \"tls\""));
  gateway().answer("GetClient", {clients[2]});
  EXPECT_THAT(told({"client", "show", "carol"}), HasSubstr("endpoint            127.0.0.1:40001, through TLS\n"));
  clients[2]["transport"] = "udp";
  gateway().answer("ListClients", {clients});
  EXPECT_THAT(told({"client", "list"}), Not(HasSubstr("VIA")));
}

TEST_F(Gwctl, WhatTakesAccessAwayIsTheStateOfAClient) {
  json client = recorded("clients")[0];
  const std::vector<std::pair<json, std::string>> cases = {{{{"disabled", true}}, "disabled"},
                                                           {{{"not_after", 1000}}, "expired"},
                                                           {{{"revoked_at", 1000}, {"disabled", true}}, "revoked"}};
  for (const auto& [change, state] : cases) {
    json changed = client;
    changed.update(change);
    gateway().answer("GetClient", {changed});
    EXPECT_THAT(told({"client", "show", "alice"}), HasSubstr("state               " + state + "\n"));
  }
}

TEST_F(Gwctl, AClientIsShownWithWhatIsWrongAboutIt) {
  gateway().answer("GetClient", {recorded("clients")[1]});
  const std::string out = told({"client", "show", "bob"});
  EXPECT_EQ(arguments_of("GetClient"), json::array({"bob"}));
  EXPECT_THAT(out, HasSubstr("groups              contractors, developers\n"));
  EXPECT_THAT(out, HasSubstr("missing groups      contractors: not in the configuration, so they grant nothing\n"));
  EXPECT_THAT(out, HasSubstr("tunnel              full\n"));
  EXPECT_THAT(out, HasSubstr("profile             outdated"));
  EXPECT_THAT(out, HasSubstr("last handshake      never\n"));
  EXPECT_THAT(out, HasSubstr("allowed             0 flows, 0 packets, 0 B\n"));
  EXPECT_THAT(out, HasSubstr("last seen           never\n"));
}

TEST_F(Gwctl, ListsOfNothingSayHowToBegin) {
  for (const auto& [folder, method] :
       {std::pair{"client", "ListClients"}, {"subnet", "ListSubnets"}, {"group", "ListGroups"}}) {
    gateway().answer(method, {json::array()});
    EXPECT_THAT(told({folder, "list"}), HasSubstr(std::string("gwctl ") + folder + " add"));
  }
}

TEST_F(Gwctl, SubnetsAndGroupsAreListed) {
  gateway().answer("ListSubnets",
                   {json::parse(R"([{"name": "web", "prefixes": ["10.1.1.0/24", "fd10:1:1::/64"], "interface": "eth1",
      "vlan": 20, "address": ["10.1.1.1"], "via": [], "hosts": ["www=10.1.1.10"], "description": "shop",
      "origin": "gateway.yaml:7:3"}])")});
  EXPECT_EQ(told({"subnet", "list"}),
            "NAME  PREFIXES                    INTERFACE  VLAN  ADDRESS   VIA  HOSTS          DESCRIPTION  WRITTEN AT\n"
            "web   10.1.1.0/24, fd10:1:1::/64  eth1         20  10.1.1.1  -    www=10.1.1.10  shop         "
            "gateway.yaml:7:3\n");
  gateway().answer("ListGroups",
                   {json::parse(R"([{"name": "developers", "interconnect": true, "description": "people who ship",
      "origin": "gateway.yaml:9:3"}])")});
  EXPECT_EQ(told({"group", "list"}),
            "NAME        INTERCONNECT  TUNNEL  DESCRIPTION      WRITTEN AT\n"
            "developers  yes           -       people who ship  gateway.yaml:9:3\n");
}

TEST_F(Gwctl, ExplainNamesTheRuleAndItsPlace) {
  gateway().answer("Explain", {json{{"action", "deny"},
                                    {"rule", "no-data"},
                                    {"written_at", "gateway.yaml:15:5"},
                                    {"reason", "the rule says so"},
                                    {"source", "client alice (172.16.201.3)"},
                                    {"destination", "subnet data (10.1.2.7)"},
                                    {"service", "tcp/5432"},
                                    {"nat", false},
                                    {"kernel_agrees", true}}});
  EXPECT_EQ(told({"explain", "alice", "10.1.2.7", "tcp/5432"}),
            "verdict  deny\n"
            "rule     no-data (gateway.yaml:15:5)\n"
            "why      the rule says so\n"
            "from     client alice (172.16.201.3)\n"
            "to       subnet data (10.1.2.7)\n"
            "service  tcp/5432\n");
  EXPECT_EQ(arguments_of("Explain"), (json::array({"alice", "10.1.2.7", "tcp/5432"})));
}

TEST_F(Gwctl, ExplainSaysWhenTheKernelDisagrees) {
  gateway().answer("Explain", {json{{"action", "allow"}, {"rule", ""}, {"kernel_agrees", false}}});
  const std::string out = told({"explain", "a", "b", "any"});
  EXPECT_THAT(out, HasSubstr("rule     none matches"));
  EXPECT_THAT(out, HasSubstr("the loaded program says otherwise"));
}

TEST_F(Gwctl, CertificatesAreListedShownAndPrintedAsPem) {
  const json certificate = {{"serial", "4f2a6b0c9d8e7f60514233241506f7e8"},
                            {"client", "alice"},
                            {"not_before", 1000},
                            {"not_after", 2000},
                            {"revoked_at", 1500},
                            {"reason", "superseded"},
                            {"sha256", "00ff"},
                            {"pem", "PEM\n"},
                            {"wireguard", "key"}};
  gateway().answer("ListCertificates", {json::array({certificate})});
  const std::string list = told({"cert", "list"});
  EXPECT_THAT(list, HasSubstr("4f2a6b0c9d8e7f60  alice   revoked"));
  EXPECT_THAT(list, HasSubstr("superseded\n"));
  gateway().answer("GetCertificate", {certificate});
  EXPECT_THAT(told({"cert", "show", "4f2a"}), HasSubstr("revoked        1970-01-01 00:25:00 UTC, superseded\n"));
  EXPECT_EQ(told({"cert", "show", "4f2a", "--pem"}), "PEM\n");
}

TEST_F(Gwctl, TheRevocationListComesAsPemOrIntoAFileAsDer) {
  const std::vector<uint8_t> der = {0x30, 0x03, 0x02, 0x01, 0xff};
  gateway().answer("ListCrls", json::array({json::array({"LIST 2\n", "LIST 1\n"})}));
  EXPECT_EQ(told({"cert", "crl"}), "LIST 2\nLIST 1\n");
  gateway().answer("GetCrl", {json::binary(der)});
  told({"cert", "crl", "--der", "--out", "list.crl"});
  EXPECT_EQ(content("list.crl"), std::string(der.begin(), der.end()));
}

TEST_F(Gwctl, TheAuthorityIsShownWithWhatCameBefore) {
  const auto part = [](const char* role, const char* subject, const char* pem, int clients) {
    return json{{"role", role}, {"subject", subject}, {"pem", pem}, {"not_after", 2000}, {"clients", clients}};
  };
  gateway().answer("GetAuthority", {json::array({part("root", "CN=contoso root", "ROOT\n", 0),
                                                 part("issuing", "CN=contoso issuing 2", "ISSUING\n", 3),
                                                 part("cross", "CN=contoso root", "CROSS\n", 0),
                                                 part("earlier issuing", "CN=contoso issuing", "OLD\n", 9)}),
                                    json{{"has_root_key", false}, {"request", "CSR"}}});
  const std::string shown = told({"ca", "show"});
  EXPECT_THAT(shown, HasSubstr("root      CN=contoso root\n"));
  EXPECT_THAT(shown, HasSubstr("earlier issuing  CN=contoso issuing\n"));
  EXPECT_THAT(shown, HasSubstr("9 hold one of it"));
  EXPECT_THAT(shown, HasSubstr("gwctl ca import FILE answers it"));
  EXPECT_THAT(shown, HasSubstr("kept elsewhere"));
  EXPECT_EQ(told({"ca", "show", "--pem"}), "ISSUING\nCROSS\nROOT\n");
  EXPECT_EQ(json::parse(told({"ca", "show", "--json"}))["certificates"][1]["clients"], 3);
}

TEST_F(Gwctl, TheAuthorityIsMadeAnewAsAsked) {
  gateway().answer("GetAuthority", {json::array(), json{{"has_root_key", true}, {"request", ""}}});
  gateway().answer("RotateAuthority", json::array());
  gateway().answer("ImportAuthority", json::array());
  gateway().answer("RequestAuthority", {"CSR\n"});
  told({"ca", "rotate", "--root"});
  EXPECT_EQ(gateway().calls().front().method, "RotateAuthority");
  EXPECT_EQ(told({"ca", "request", "--name", "contoso"}), "CSR\n");
  EXPECT_THAT(told({"ca", "request", "--out", "ca.csr"}), HasSubstr("gwctl ca import FILE"));
  EXPECT_EQ(content("ca.csr"), "CSR\n");
  told({"ca", "import", "ca.csr"});
}

}  // namespace
}  // namespace gw::ctl::test
