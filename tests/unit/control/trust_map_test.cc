// SPDX-License-Identifier: Apache-2.0
// Patterns, and names, of what an organisation's certificates say.
#include "gatewayd/control/trust_map.h"

#include <gmock/gmock.h>

#include <chrono>

namespace gw::control {
namespace {

using pki::Claim;
using testing::HasSubstr;

struct Case {
  const char* pattern;
  Claim claim;
  bool fits;
};

TEST(TrustMap, FitsAsTheStandardsCompare) {
  using enum Claim::Kind;
  const Case cases[] = {
      {"*", {unit, "any"}, true},
      {"dns:*.lab.example", {dns, "Web.LAB.example"}, true},
      {"dns:*.lab.example", {dns, "a.b.lab.example"}, true},
      {"dns:*.lab.example", {dns, "lab.example"}, false},
      {"dns:*.lab.example", {dns, "web.lab.example.evil"}, false},
      {"dns:*.lab.example", {common_name, "web.lab.example"}, false},
      {"DNS:WEB.lab.example", {dns, "web.lab.example"}, true},
      {"email:*@contoso.example", {email, "alice@CONTOSO.example"}, true},
      {"email:Alice@contoso.example", {email, "alice@contoso.example"}, false},
      {"email:*@contoso.example", {email, "alice@evil.contoso.example"}, false},
      {"email:*@contoso.example", {upn, "alice@contoso.example"}, false},
      {"upn:ALICE@contoso.example", {upn, "alice@contoso.example"}, true},
      {"uri:spiffe://LAB.example/ns/*", {uri, "SPIFFE://lab.example/ns/web"}, true},
      {"uri:spiffe://lab.example/NS/*", {uri, "spiffe://lab.example/ns/web"}, false},
      {"uri:urn:uuid:*", {uri, "URN:uuid:1"}, true},
      {"uri:spiffe://*", {uri, "spiffe://x"}, true},
      {"O:contoso", {organisation, "Contoso"}, true},
      {"OU:eng*ing", {unit, "Engineering"}, true},
      {"OU:eng*ing", {organisation, "Engineering"}, false},
      {"CN:*a*b*", {common_name, "xaxbx"}, true},
      {"CN:*a*b", {common_name, "xbxa"}, false},
      {"CN:a", {common_name, ""}, false},
      {"CN:**", {common_name, ""}, true},
      {"nosuch:*", {dns, "a"}, false},
  };
  for (const auto& [pattern, claim, fits] : cases) EXPECT_EQ(matches(pattern, {claim}), fits) << pattern << claim.value;
}

TEST(TrustMap, AddsTheGroupsOfAllThatFit) {
  const std::vector<registry::TrustMap> maps = {{"dns:*", {"b", "a"}}, {"O:x", {"c"}}, {"*", {"a", "d"}}};
  EXPECT_EQ(groups_for(maps, {{Claim::Kind::dns, "w"}}), (std::vector<std::string>{"a", "b", "d"}));
  EXPECT_EQ(groups_for({maps[1]}, {{Claim::Kind::dns, "w"}}), std::nullopt);
}

TEST(TrustMap, IsReadAndWritten) {
  EXPECT_EQ(map_text(parse_map("DNS:*.lab.example=ops,developers,ops").value()), "dns:*.lab.example=developers,ops");
  EXPECT_EQ(parse_map("uri:https://x/?a=b=ops")->pattern, "uri:https://x/?a=b");
  for (const char* bad : {"", "=", "*", "*=", "*=a,", "*=,a", "dns:=a", "dns=a", "ip:1=a", "email:*contoso.example=a",
                          "upn:alice=a", "dns:a\nb=c", "web.example=a"}) {
    EXPECT_FALSE(parse_map(bad)) << bad;
  }
  EXPECT_TRUE(parse_map("email:*=a"));
  EXPECT_FALSE(parse_map("dns:" + std::string(300, 'a') + "=a"));
}

TEST(TrustMap, IsMatchedInTimeThatNoPatternBlowsUp) {
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "a*";
  const std::vector<Claim> claims = {{Claim::Kind::common_name, std::string(15000, 'a')}};
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(matches("CN:" + stars + "b", claims));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
}

Result<Named> name_of(std::vector<Claim> claims) {
  pki::Holder holder;
  holder.certificate.subject = "CN=x,O=y";
  holder.claims = std::move(claims);
  return name_for(holder);
}

TEST(TrustName, ComesOfTheFirstHostElseThePersonElseTheInnermostCommonName) {
  using enum Claim::Kind;
  EXPECT_EQ(name_of({{email, "a@b"}, {dns, "Web.Lab.example"}, {dns, "x.y"}}).value(),
            (Named{"web", "dns:web.lab.example"}));
  EXPECT_EQ(name_of({{uri, "u:x"}, {email, "Alice.B+vpn@B.example"}, {common_name, "c"}}).value(),
            (Named{"alice-b-vpn", "email:Alice.B+vpn@b.example"}));
  EXPECT_EQ(name_of({{upn, "Bob@b.example"}}).value(), (Named{"bob", "upn:bob@b.example"}));
  EXPECT_EQ(name_of({{common_name, "Users"}, {common_name, " Dr. Who "}}).value(),
            (Named{"dr-who", "subject:CN=x,O=y"}));
}

TEST(TrustName, IsRefusedWhereNoneComesOut) {
  using enum Claim::Kind;
  EXPECT_THAT(name_of({{dns, "*.lab.example"}}).error().detail, HasSubstr("many hosts"));
  EXPECT_THAT(name_of({{common_name, "Ünal"}}).error().detail, HasSubstr("no host name can have"));
  EXPECT_THAT(name_of({{common_name, "..."}}).error().detail, HasSubstr("makes no host name"));
  EXPECT_THAT(name_of({{dns, std::string(64, 'a') + ".b"}}).error().detail, HasSubstr("makes no host name"));
  EXPECT_THAT(name_of({{dns, ""}}).error().detail, HasSubstr("makes no host name"));
  EXPECT_THAT(name_of({{uri, "u:x"}, {organisation, "o"}}).error().detail, HasSubstr("neither a host nor a person"));
}

}  // namespace
}  // namespace gw::control
