// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/interner.h"

#include <gtest/gtest.h>

#include "bpf/abi.h"

namespace gw::policy {
namespace {

TEST(Interner, NumbersNamesFromOneInTheOrderTheyCome) {
  Interner interner;
  EXPECT_EQ(interner.rule("web"), 1U);
  EXPECT_EQ(interner.rule("data"), 2U);
  EXPECT_EQ(interner.rule("web"), 1U);
  EXPECT_EQ(interner.signature("any"), 1U);
  EXPECT_EQ(interner.link("eth1"), GW_LINK_ID_VPN + 1);
  EXPECT_EQ(interner.rule_name(2), "data");
  EXPECT_EQ(interner.rule_name(0), std::nullopt);
  EXPECT_EQ(interner.rule_name(3), std::nullopt);
}

TEST(Interner, ComesBackFromItsTextWithTheSameNumbers) {
  Interner interner;
  for (const char* name : {"web", "a \"quoted\" name", "data"}) interner.rule(name);
  interner.signature("any vpn group:dev");
  interner.link("eth1.20");
  auto read = Interner::parse(interner.serialise());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, interner);
  EXPECT_EQ(read->rule("data"), 3U);
  EXPECT_EQ(read->rule("new"), 4U);
  EXPECT_EQ(read->signature("any vpn group:dev"), 1U);
  EXPECT_EQ(read->link("eth1.20"), GW_LINK_ID_VPN + 1);
}

TEST(Interner, RefusesATextThatItDidNotWrite) {
  for (const char* text : {
           "",
           "{",
           "[]",
           "{}",
           R"({"format": 2, "rules": [], "signatures": [], "links": []})",
           R"({"format": 1, "rules": [], "signatures": []})",
           R"({"format": 1, "rules": [1], "signatures": [], "links": []})",
           R"({"format": 1, "rules": ["a", "a"], "signatures": [], "links": []})",
           R"({"format": 1, "rules": {"a": 1}, "signatures": [], "links": []})",
       }) {
    const auto read = Interner::parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, EINVAL) << text;
  }
}

}  // namespace
}  // namespace gw::policy
