// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gatewayd/config/edit.h"

namespace gw::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kKey = "4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=";

/// What every configuration needs, on two lines.
const std::string kBase =
    "gateway: {public: {interface: eth0}}\n"
    "vpn: {subnets: [172.16.201.0/24]}\n";

std::vector<std::string> texts(const Loaded& loaded) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) out.push_back(diagnostic.str());
  return out;
}

Config good(const Files& files) {
  Loaded loaded = load(files);
  EXPECT_THAT(texts(loaded), IsEmpty());
  return std::move(loaded.config);
}

Config good(const std::string& text) { return good(Files{{"gateway.yaml", text}}); }

std::vector<std::string> rule_names(const Config& config) {
  std::vector<std::string> out;
  for (const Rule& rule : config.rules) out.push_back(rule.name);
  return out;
}

const std::string kExample = std::string(R"(
gateway:
  name: contoso
  public: {interface: eth0, endpoint: vpn.contoso.example, listen_port: 51820}
vpn:
  interface: wg0
  mtu: 1400
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
  tunnel: full
  dns: {domain: vpn.internal, forward: [168.63.129.16]}
network: {address_space: [10.1.0.0/16]}
subnets:
  web:  {prefixes: [10.1.1.0/24], interface: eth1}
  data: {prefixes: [10.1.2.0/24], interface: eth1, vlan: 20, address: 10.1.2.1}
  far:  {prefixes: [10.1.9.0/24], interface: eth0, via: 10.1.0.1, description: "behind the router"}
services: {rdp: [tcp/3390, udp/3389]}
groups:
  developers: {description: "people who ship", interconnect: true}
  support: {tunnel: split}
  empty:
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/443, ssh, icmp]}
  - {name: no-data, action: deny,  from: [vpn], to: [subnet:data], log: true}
  - {name: desk, action: reject, from: ["client:alice", "fd6d::1"], to: 10.1.1.7, services: rdp}
sites:
  parents: {public_key: "4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=", endpoint: "[2001:db8::7]:51821", prefixes: [192.168.50.0/24], keepalive: 25}
nat: [{from: vpn, out: eth0}]
forward_foreign: drop
dataplane: {fast_path: off}
guard: {initiations_per_source: 20}
)")
                                 .substr(1);

Prefix prefix(const char* text) { return *Prefix::parse(text); }

TEST(Load, TakesEverySectionOfTheExample) {
  const Config config = good(kExample);
  EXPECT_EQ(config.name, "contoso");
  EXPECT_EQ(config.public_side.interface, "eth0");
  EXPECT_EQ(config.public_side.endpoint->str(), "vpn.contoso.example:51820");
  EXPECT_EQ(config.vpn.mtu, 1400U);
  EXPECT_THAT(config.vpn.subnets, ElementsAre(prefix("172.16.201.0/24"), prefix("fd6d:706e:6c61::/64")));
  EXPECT_EQ(config.vpn.tunnel, Tunnel::full);
  EXPECT_EQ(config.vpn.dns->domain, "vpn.internal");
  EXPECT_THAT(config.vpn.dns->forward, ElementsAre(*IpAddress::parse("168.63.129.16")));
  EXPECT_THAT(config.address_space, ElementsAre(prefix("10.1.0.0/16")));
  EXPECT_EQ(config.forward_foreign, ForwardForeign::drop);
  EXPECT_EQ(config.dataplane.fast_path, FastPath::off);
  EXPECT_EQ(config.guard.initiations_per_source, 20U);
}

TEST(Load, TakesSubnetsWithTheirLinks) {
  const Config config = good(kExample);
  EXPECT_EQ(config.subnets.size(), 3U);
  EXPECT_EQ(config.subnets.at("data").device(), "eth1.20");
  EXPECT_THAT(config.subnets.at("data").address, ElementsAre(*IpAddress::parse("10.1.2.1")));
  EXPECT_THAT(config.subnets.at("far").via, ElementsAre(*IpAddress::parse("10.1.0.1")));
  EXPECT_EQ(config.subnets.at("far").description, "behind the router");
  EXPECT_EQ(config.subnets.at("web").origin, (Origin{"gateway.yaml", 12, 3}));
}

TEST(Load, TakesGroupsAndSites) {
  const Config config = good(kExample);
  EXPECT_TRUE(config.groups.at("developers").interconnect);
  EXPECT_EQ(config.groups.at("developers").description, "people who ship");
  EXPECT_EQ(config.groups.at("support").tunnel, Tunnel::split);
  EXPECT_FALSE(config.groups.at("empty").tunnel);
  const Site& site = config.sites.at("parents");
  EXPECT_EQ(site.public_key.str(), kKey);
  EXPECT_EQ(site.endpoint->str(), "[2001:db8::7]:51821");
  EXPECT_EQ(site.keepalive, 25);
  EXPECT_THAT(config.nat.at(0).from, ElementsAre(*parse_selector("vpn")));
}

TEST(Load, TakesRulesInOrderWithTheBuiltInOnesLast) {
  const Config config = good(kExample);
  EXPECT_THAT(rule_names(config),
              ElementsAre("dev-web", "no-data", "desk", "builtin-gateway-icmp", "builtin-gateway-dns"));
  const Rule& web = config.rules[0];
  EXPECT_EQ(web.action, Action::allow);
  EXPECT_EQ(web.origin, (Origin{"gateway.yaml", 21, 5}));
  EXPECT_THAT(web.services, ElementsAre(Service{Service::Kind::tcp, 443, 443}, Service{Service::Kind::tcp, 22, 22},
                                        Service{Service::Kind::icmp, 0, 0xffff}));
  EXPECT_THAT(web.service_names, ElementsAre("tcp/443", "ssh", "icmp"));
  EXPECT_TRUE(config.rules[1].log);
  EXPECT_THAT(config.rules[1].services, ElementsAre(Service{}));
  EXPECT_THAT(config.rules[1].service_names, ElementsAre("any"));
}

TEST(Load, LetsTheOperatorsServiceStandBeforeTheBuiltInOfTheSameName) {
  const Config config = good(kExample);
  EXPECT_THAT(config.rules[2].services,
              ElementsAre(Service{Service::Kind::tcp, 3390, 3390}, Service{Service::Kind::udp, 3389, 3389}));
}

TEST(Load, AnswersPingFromTheVpnByABuiltInRule) {
  const Rule rule = good(kBase).rules.at(0);
  EXPECT_TRUE(rule.built_in);
  EXPECT_EQ(rule.action, Action::allow);
  EXPECT_EQ(rule.from.at(0).str(), "vpn");
  EXPECT_EQ(rule.to.at(0).str(), "gateway");
  EXPECT_THAT(rule.services,
              ElementsAre(Service{Service::Kind::icmp, 0x0800, 0x08ff}, Service{Service::Kind::icmp, 0x8000, 0x80ff}));
}

TEST(Load, FillsInDefaults) {
  const Config config = good(kBase);
  EXPECT_EQ(config.name, "gateway");
  EXPECT_EQ(config.vpn.interface, "wg0");
  EXPECT_EQ(config.public_side.listen_port, 51820);
  EXPECT_FALSE(config.public_side.endpoint);
  EXPECT_THAT(config.public_side.allow,
              ElementsAre(Service{Service::Kind::tcp, 22, 22}, Service{Service::Kind::icmp, 0x0800, 0x08ff},
                          Service{Service::Kind::icmp, 0x8000, 0x80ff}));
  EXPECT_EQ(config.forward_foreign, ForwardForeign::leave);
  EXPECT_EQ(config.dataplane.fast_path, FastPath::automatic);
  EXPECT_EQ(config.guard.initiations_per_source, 0U) << "no limit";
}

TEST(Load, TakesAnEmptyAllowListAsNothingOpen) {
  EXPECT_THAT(
      good("gateway: {public: {interface: eth0, allow: []}}\nvpn: {subnets: [172.16.201.0/24]}\n").public_side.allow,
      IsEmpty());
}

TEST(Load, GivesTheEndpointTheListenPortUnlessItHasItsOwn) {
  const auto endpoint = [](const std::string& value) {
    return good("gateway: {public: {interface: eth0, listen_port: 4500, endpoint: " + value +
                "}}\nvpn: {subnets: [172.16.201.0/24]}\n")
        .public_side.endpoint->str();
  };
  EXPECT_EQ(endpoint("vpn.example"), "vpn.example:4500");
  EXPECT_EQ(endpoint("vpn.example:443"), "vpn.example:443");
  EXPECT_EQ(endpoint("192.0.2.1"), "192.0.2.1:4500");
  EXPECT_EQ(endpoint("\"[2001:db8::1]\""), "[2001:db8::1]:4500");
}

TEST(Load, TakesEmptySections) { good(kBase + "network:\nsubnets:\nservices:\ngroups: {}\nrules:\nsites:\nnat: []\n"); }

TEST(Load, ExpandsAliases) {
  const Config config = good(kBase + "groups: {a: &g {interconnect: true}, b: *g}\n");
  EXPECT_TRUE(config.groups.at("b").interconnect);
}

TEST(Load, ClipsWhatItQuotesBetweenCharacters) {
  std::string word;
  for (int i = 0; i < 2'000; ++i) word += "é";
  const Loaded loaded = load({{"gateway.yaml", kBase + "forward_foreign: " + word + "\n"}});
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  const std::string& text = loaded.diagnostics[0].text;
  EXPECT_LT(text.size(), 1'010U);
  EXPECT_TRUE(text.ends_with("é…")) << text.substr(text.size() - 8);
}

TEST(Merge, JoinsSectionsAndAppendsRules) {
  const Config config = good(
      {{"gateway.yaml", kBase + "groups: {a: }\nrules:\n- {name: one, action: allow, from: group:a, to: internet}\n"},
       {"gateway.d/10-b.yaml",
        "gateway: {name: lab, public: {listen_port: 4500}}\ngroups: {b: }\n"
        "rules: [{name: two, action: allow, from: group:b, to: internet}]\n"},
       {"gateway.d/20-empty.yaml", "# nothing yet\n"},
       {"gateway.d/30-null.yaml", "groups:\nrules:\n"}});
  EXPECT_EQ(config.name, "lab");
  EXPECT_EQ(config.public_side.listen_port, 4500);
  EXPECT_EQ(config.groups.size(), 2U);
  EXPECT_THAT(rule_names(config), ElementsAre("one", "two", "builtin-gateway-icmp"));
  EXPECT_EQ(config.rules[1].origin, (Origin{"gateway.d/10-b.yaml", 3, 9}));
}

TEST(Merge, NamesBothPlacesOfAKeyGivenInTwoFiles) {
  const Loaded loaded =
      load({{"gateway.yaml", kBase + "groups:\n  a: {interconnect: true}\n"},
            {"gateway.d/10.yaml", "vpn: {subnets: [10.9.0.0/24]}\ngroups:\n  a: {description: again}\n"}});
  EXPECT_THAT(
      texts(loaded),
      ElementsAre("gateway.d/10.yaml:1:7: error: key 'subnets' is given twice, first at gateway.yaml:2:7; keep one",
                  "gateway.d/10.yaml:3:3: error: group 'a' is given twice, first at gateway.yaml:4:3; keep one"));
}

TEST(Merge, ReportsNoNameAsUnknownWhileAFileCannotBeRead) {
  const Loaded loaded = load({{"gateway.yaml", kBase + "groups: {a: {colour: x}}\n" +
                                                   "rules: [{name: r, action: allow, from: group:b, to: internet}]\n"},
                              {"gateway.d/10.yaml", "groups: {b: ]\n"}});
  ASSERT_EQ(loaded.diagnostics.size(), 2U) << ::testing::PrintToString(texts(loaded));
  EXPECT_EQ(loaded.diagnostics[0].origin.str(), "gateway.yaml:3:14");
  EXPECT_EQ(loaded.diagnostics[1].origin.str(), "gateway.d/10.yaml:1:13");
}

std::string allow(const std::string& name, const std::string& group, const std::string& more = {}) {
  return "- {name: " + name + ", action: allow, from: group:" + group + ", to: internet" + more + "}\n";
}

TEST(Order, PutsRulesBesideTheOneTheyName) {
  const std::string groups = "groups: {a: , b: , c: , d: , e: , f: }\n";
  const Config config =
      good({{"gateway.yaml", kBase + groups + "rules:\n" + allow("a", "a") + allow("b", "b")},
            {"gateway.d/10.yaml", "rules:\n" + allow("c", "c", ", before: b") + allow("d", "d", ", before: b") +
                                      allow("e", "e", ", after: a") + allow("f", "f", ", after: a")}});
  EXPECT_THAT(rule_names(config), ElementsAre("a", "e", "f", "c", "d", "b", "builtin-gateway-icmp"));
}

TEST(Order, FollowsChains) {
  const Config config = good(kBase + "groups: {a: , b: , c: }\nrules:\n" + allow("c", "c", ", before: b") +
                             allow("b", "b", ", before: a") + allow("a", "a"));
  EXPECT_THAT(rule_names(config), ElementsAre("c", "b", "a", "builtin-gateway-icmp"));
}

TEST(Order, LetsAnExceptionStandBeforeTheRuleThatWouldShadowIt) {
  good({{"gateway.yaml", kBase + "rules:\n- {name: all, action: deny, from: any, to: any}\n"},
        {"gateway.d/10.yaml", "rules:\n- {name: one, action: allow, from: client:bob, to: internet, before: all}\n"}});
}

TEST(Load, ReadsTenThousandRulesWithinTheTestsTime) {
  std::string text = kBase + "rules:\n";
  for (int i = 0; i < 10'000; ++i) {
    const std::string third = std::to_string(i / 250);
    text += "- {name: r" + std::to_string(i) + ", action: allow, from: vpn, to: 10.1." + third + "." +
            std::to_string(i % 250) + "}\n";
  }
  EXPECT_EQ(good(text).rules.size(), 10'001U);
}

}  // namespace
}  // namespace gw::config
