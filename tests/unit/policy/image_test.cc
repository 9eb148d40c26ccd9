// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/support/policy_text.h"
#include "tests/unit/policy/office.h"

namespace gw {
namespace {

using policy::Compiled;
using policy::HostFacts;
using policy::Interner;
using test::Office;

uint32_t class_at(const Compiled& compiled, const char* address) {
  return policy::classify(compiled.image, {}, IpAddress::parse(address).value()).class_id;
}

policy::Place place(const Compiled& compiled, const char* address) {
  return policy::classify(compiled.image, {}, IpAddress::parse(address).value());
}

TEST(Image, ClassesKeepTheirNumbersWhenRulesChange) {
  Office office;
  Interner interner;
  office.rules({"allow group:dev -> subnet:web tcp/443"});
  const Compiled before = office.compile(interner);
  office.rules({"deny group:dev -> subnet:data any", "allow group:dev -> subnet:web tcp/80"});
  const Compiled after = office.compile(interner);
  EXPECT_NE(before.image.fingerprint, after.image.fingerprint);
  EXPECT_EQ(class_at(before, "10.1.1.7"), class_at(after, "10.1.1.7"));
  EXPECT_EQ(before.class_of(office.hosts[4]), after.class_of(office.hosts[4]));
  // data is now told apart from what no rule names.
  EXPECT_EQ(class_at(before, "10.1.2.7"), class_at(before, "8.8.8.8"));
  EXPECT_NE(class_at(after, "10.1.2.7"), class_at(after, "8.8.8.8"));
  office.rules({"allow group:dev -> subnet:web tcp/443"});
  EXPECT_EQ(office.compile(interner).image.fingerprint, before.image.fingerprint);
}

TEST(Image, RulesKeepTheirNumbersWhenTheOrderChanges) {
  Office office;
  Interner interner;
  office.rules({"allow vpn -> any tcp/1", "allow vpn -> any tcp/2"});
  (void)office.compile(interner);
  const uint32_t second = interner.rule("r2");
  std::swap(office.config.rules[0], office.config.rules[1]);
  (void)office.compile(interner);
  EXPECT_EQ(interner.rule("r2"), second);
}

TEST(Image, ANewSubnetMovesNoOthersLink) {
  Office office;
  Interner interner;
  const auto before = policy::link_ids(office.config, interner);
  EXPECT_EQ(before, (std::map<std::string, uint32_t>{{"eth1", 2}, {"eth2", 3}}));
  office.config.subnets["early"].interface = "eth0";
  office.config.subnets["early"].vlan = 7;
  const auto after = policy::link_ids(office.config, interner);
  EXPECT_EQ(after, (std::map<std::string, uint32_t>{{"eth0.7", 4}, {"eth1", 2}, {"eth2", 3}}));
}

TEST(Image, APrefixTellsTheLinkThatItsSourcesArriveOn) {
  Office office;
  office.rules({"allow 10.1.1.64/26 -> any any", "allow 10.0.0.0/8 -> any any", "allow 8.8.8.8/32 -> any any"});
  const Compiled compiled = office.compile();
  EXPECT_EQ(place(compiled, "10.1.1.7").link, 2U);
  EXPECT_EQ(place(compiled, "10.1.1.70").link, 2U);
  EXPECT_EQ(place(compiled, "10.1.2.7").link, 3U);
  EXPECT_EQ(place(compiled, "20.30.40.5").link, 3U);
  EXPECT_EQ(place(compiled, "192.168.50.5").link, GW_LINK_ID_VPN);
  EXPECT_EQ(place(compiled, "10.1.99.7").link, 0U);
  EXPECT_EQ(place(compiled, "8.8.8.8").link, 0U);
  EXPECT_EQ(place(compiled, "172.16.201.99").link, 0U);
}

TEST(Image, FlagsSayWhatIsVpnAndWhatIsOutside) {
  Office office;
  office.rules({"allow 172.16.201.64/26 -> 8.8.8.8/32 any"});
  const Compiled compiled = office.compile();
  EXPECT_EQ(place(compiled, "172.16.201.99"), (policy::Place{.flags = GW_PREFIX_VPN}));
  EXPECT_EQ(place(compiled, "fd6d::99"), (policy::Place{.flags = GW_PREFIX_VPN}));
  EXPECT_EQ(place(compiled, "8.8.8.8").flags, GW_PREFIX_OUTSIDE);
  EXPECT_EQ(place(compiled, "8.8.8.9").flags, GW_PREFIX_OUTSIDE);
  EXPECT_EQ(place(compiled, "10.1.1.7").flags, 0U);
  EXPECT_EQ(place(compiled, "169.254.169.254"), (policy::Place{.flags = GW_PREFIX_OUTSIDE}));
}

TEST(Image, TablesAreSortedAndWithoutRepeats) {
  Office office;
  office.interconnect("dev").rules({"allow vpn -> 10.1.1.7/32,10.0.0.0/8,subnet:web tcp/22", "deny any -> any udp",
                                    "allow subnet:web,site:parents -> vpn icmp"});
  const bpf::PolicyImage image = office.compile().image;
  const auto prefix = [](const auto& entry) {
    const auto& key = entry.first;
    return std::pair(key.prefixlen, std::vector<uint8_t>(key.addr.b, key.addr.b + sizeof key.addr.b));
  };
  const auto pair = [](const auto& entry) { return std::pair(entry.first.src, entry.first.dst); };
  EXPECT_EQ(std::ranges::adjacent_find(image.prefixes, std::ranges::greater_equal{}, prefix), image.prefixes.end());
  EXPECT_EQ(std::ranges::adjacent_find(image.pairs, std::ranges::greater_equal{}, pair), image.pairs.end());
}

TEST(Image, EveryRefLeadsToANodeOrALeaf) {
  Office office;
  office.rules({"allow vpn -> subnet:web tcp/22,tcp/1000-2000", "deny any -> any udp/53", "allow vpn -> internet any"});
  const bpf::PolicyImage image = office.compile().image;
  const auto leads = [&](uint32_t ref) { return (ref & GW_REF_LEAF) != 0 || ref < image.nodes.size(); };
  for (const auto& [key, value] : image.pairs) EXPECT_TRUE(std::ranges::all_of(value.root, leads));
  for (const gw_node& node : image.nodes) EXPECT_TRUE(std::ranges::all_of(node.child, leads));
}

TEST(Image, OfOneKindOfClientDoesNotDependOnHowManyThereAre) {
  Office office;
  office.rules({"allow group:dev -> subnet:web tcp/443", "deny any -> any any"});
  const std::string few = office.compile().image.fingerprint;
  const Prefix pool = office.config.vpn.subnets.front();
  for (uint64_t n = 20; n < 250; ++n) {
    office.hosts.push_back({.address = pool.nth(n).value(), .client = "c" + std::to_string(n), .groups = {"dev"}});
  }
  EXPECT_EQ(office.compile().image.fingerprint, few);
}

TEST(Image, TheFingerprintTellsEveryChangeOfThePolicy) {
  const std::vector<std::vector<std::string_view>> variants = {
      {"allow vpn -> subnet:web tcp/443"},  {"deny vpn -> subnet:web tcp/443"},
      {"reject vpn -> subnet:web tcp/443"}, {"allow vpn -> subnet:web tcp/443 log"},
      {"allow vpn -> subnet:web tcp/444"},  {"allow vpn -> subnet:web udp/443"},
      {"allow vpn -> subnet:data tcp/443"}, {"allow any -> subnet:web tcp/443"},
      {"allow vpn -> 10.1.1.0/24 tcp/443"}, {"allow vpn -> subnet:web tcp/443", "allow vpn -> subnet:web tcp/80"},
  };
  std::set<std::string> seen;
  Interner interner;
  for (const auto& texts : variants) {
    Office office;
    for (const auto text : texts) office.config.rules.push_back(test::rule("r", text));
    seen.insert(office.compile(interner).image.fingerprint);
    EXPECT_EQ(seen.rbegin()->size(), 32U);
  }
  Office office;
  office.nat("vpn").rules({"allow vpn -> subnet:web tcp/443"});
  seen.insert(office.compile(interner).image.fingerprint);
  EXPECT_EQ(seen.size(), variants.size() + 1);
}

TEST(ClassOf, AClientOfAKnownKindHasItsClassWithoutCompilingAgain) {
  Office office;
  office.rules({"allow group:dev -> subnet:web tcp/443"});
  const Compiled compiled = office.compile();
  const HostFacts dan{.address = *IpAddress::parse("172.16.201.50"), .client = "dan", .groups = {"dev"}};
  EXPECT_EQ(compiled.class_of(dan), compiled.class_of(office.hosts[4]));
  // No rule names ops: membership makes no difference.
  const HostFacts eve{.address = *IpAddress::parse("172.16.201.51"), .client = "eve", .groups = {"ops", "dev"}};
  EXPECT_EQ(compiled.class_of(eve), compiled.class_of(office.hosts[4]));
}

TEST(ClassOf, AClientOfAnUnknownKindHasNone) {
  Office office;
  office.rules({"allow group:dev,group:ops,client:eve -> subnet:web tcp/443", "allow 172.16.201.64/26 -> any any"});
  const Compiled compiled = office.compile();
  const IpAddress free = *IpAddress::parse("172.16.201.50");
  EXPECT_EQ(compiled.class_of({.address = free, .client = "dan", .groups = {"ops"}}), std::nullopt);
  EXPECT_EQ(compiled.class_of({.address = free, .client = "eve", .groups = {"dev"}}), std::nullopt);
  EXPECT_EQ(compiled.class_of({.address = *IpAddress::parse("172.16.201.70"), .client = "dan", .groups = {"dev"}}),
            std::nullopt);
  EXPECT_NE(compiled.class_of({.address = free, .client = "dan", .groups = {"dev"}}), std::nullopt);
}

TEST(ClassOf, TellsTheGatewayFromClientsWhateverRulesSay) {
  const Compiled compiled = Office().compile();
  const Office office;
  EXPECT_NE(compiled.class_of(office.hosts[0]), compiled.class_of(office.hosts[4]));
}

}  // namespace
}  // namespace gw
