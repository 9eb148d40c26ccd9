// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/names/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/names/office.h"

namespace gw::names {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> zones(const char* prefix) { return reverse_zones(*Prefix::parse(prefix)); }

TEST(HostsFile, HasTheGatewayThenHostsThenClients) {
  const std::vector<Entry> clients = {{"alice", {address("172.16.201.3"), address("fd6d:706e:6c61::3")}}};
  EXPECT_EQ(hosts_file(office(), clients),
            "# Written by gatewayd, and again at the next change.\n"
            "172.16.201.1 contoso.vpn.internal gateway.vpn.internal\n"
            "fd6d:706e:6c61::1 contoso.vpn.internal gateway.vpn.internal\n"
            "10.1.2.10 db.vpn.internal\n"
            "10.1.2.11 db.vpn.internal\n"
            "172.16.201.3 alice.vpn.internal\n"
            "fd6d:706e:6c61::3 alice.vpn.internal\n");
}

TEST(HostsFile, NamesAGatewayThatIsCalledGatewayOnce) {
  config::Config config = office();
  config.name = "Gateway";
  EXPECT_THAT(hosts_file(config, {}), HasSubstr("172.16.201.1 gateway.vpn.internal\n"));
}

TEST(HostsFile, GivesAClientOfAnOlderRegistryNoNameThatIsAnothers) {
  const std::vector<Entry> clients = {{"db", {address("172.16.201.3")}},
                                      {"gateway", {address("172.16.201.4")}},
                                      {"wpad", {address("172.16.201.5")}},
                                      {"vpn", {address("172.16.201.6")}}};
  config::Config config = office();
  config.public_side.endpoint = config::Endpoint{"VPN.vpn.internal", 51820};
  const std::string text = hosts_file(config, clients);
  for (const Entry& client : clients) EXPECT_THAT(text, Not(HasSubstr(client.addresses.front().str()))) << client.name;
}

TEST(HostsFile, TakesNothingThatIsNoLabel) {
  for (const char* evil : {"a b", "a\n1.2.3.4 bank.example", "a#", "", "-a", "a.b", "a\tb", "\xc3\xa4"}) {
    const std::vector<Entry> clients = {{evil, {address("172.16.201.3")}}};
    EXPECT_THAT(hosts_file(office(), clients), Not(HasSubstr("172.16.201.3"))) << evil;
  }
  config::Config config = office();
  config.vpn.dns->domain = "internal\n1.2.3.4 bank.example";
  EXPECT_THAT(hosts_file(config, {}), IsEmpty());
  EXPECT_THAT(server_file(config, "/hosts.d"), IsEmpty());
}

TEST(HostsFile, IsEmptyWithoutADomain) {
  config::Config config = office();
  config.vpn.dns.reset();
  EXPECT_THAT(hosts_file(config, {}), IsEmpty());
  EXPECT_THAT(server_file(config, "/hosts.d"), IsEmpty());
  EXPECT_EQ(full_name(config, "alice"), "");
}

TEST(ServerFile, ListensInTheVpnAloneAndKeepsOwnNamesToItself) {
  const std::string text = "\n" + server_file(office(), "/run/names/hosts.d");
  for (const char* line :
       {"listen-address=172.16.201.1", "listen-address=fd6d:706e:6c61::1", "bind-dynamic", "no-hosts",
        "hostsdir=/run/names/hosts.d", "local=/vpn.internal/", "local=/201.16.172.in-addr.arpa/",
        "local=/2.1.10.in-addr.arpa/", "bogus-priv", "bogus-nxdomain=172.16.201.0/24",
        "bogus-nxdomain=fd6d:706e:6c61::/64", "no-resolv", "server=10.1.2.53"})
    EXPECT_THAT(text, HasSubstr("\n" + std::string(line) + "\n"));
  EXPECT_THAT(text, Not(HasSubstr("listen-address=10.")));
}

TEST(ServerFile, AsksWhomTheHostAsksUnlessTold) {
  config::Config config = office();
  config.vpn.dns->forward.clear();
  const std::string text = server_file(config, "/hosts.d");
  EXPECT_THAT(text, HasSubstr("\nresolv-file=/etc/resolv.conf\n"));
  EXPECT_THAT(text, Not(HasSubstr("no-resolv")));
}

TEST(ServerFile, AsksOthersForAnEndpointWithinTheDomain) {
  config::Config config = office();
  config.public_side.endpoint = config::Endpoint{"reach.vpn.internal", 51820};
  EXPECT_THAT(server_file(config, "/hosts.d"), HasSubstr("\nserver=/reach.vpn.internal/#\n"));
  config.public_side.endpoint = config::Endpoint{"reach.example", 51820};
  EXPECT_THAT(server_file(config, "/hosts.d"), Not(HasSubstr("reach")));
}

TEST(ReverseZones, AreOneAtABorder) {
  EXPECT_THAT(zones("10.0.0.0/8"), ElementsAre("10.in-addr.arpa"));
  EXPECT_THAT(zones("172.16.201.0/24"), ElementsAre("201.16.172.in-addr.arpa"));
  EXPECT_THAT(zones("10.1.2.3/32"), ElementsAre("3.2.1.10.in-addr.arpa"));
  EXPECT_THAT(zones("fd00:ab::/32"), ElementsAre("b.a.0.0.0.0.d.f.ip6.arpa"));
}

TEST(ReverseZones, AreAllThatMakeUpThePrefixElsewhere) {
  EXPECT_THAT(zones("172.16.0.0/14"),
              ElementsAre("16.172.in-addr.arpa", "17.172.in-addr.arpa", "18.172.in-addr.arpa", "19.172.in-addr.arpa"));
  EXPECT_THAT(zones("10.1.2.128/31"), ElementsAre("128.2.1.10.in-addr.arpa", "129.2.1.10.in-addr.arpa"));
  EXPECT_EQ(zones("10.1.2.128/25").size(), 128U);
  EXPECT_EQ(zones("10.1.2.128/25").back(), "255.2.1.10.in-addr.arpa");
  EXPECT_THAT(zones("fd00:0:0:4::/63"),
              ElementsAre("4.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", "5.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"));
  EXPECT_THAT(zones("fc00::/7"), ElementsAre("c.f.ip6.arpa", "d.f.ip6.arpa"));
}

}  // namespace
}  // namespace gw::names
