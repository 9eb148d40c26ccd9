// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/label.h"

#include <gtest/gtest.h>

#include <string>

#include "gatewayd/base/revocation.h"

namespace gw {
namespace {

TEST(Label, AcceptsHostNamesInLowerCase) {
  for (const char* good : {"a", "alice", "alice-laptop", "7", "x1-2"}) EXPECT_TRUE(is_label(good)) << good;
  EXPECT_TRUE(is_label(std::string(63, 'a')));
}

TEST(Label, RefusesEverySpellingThatIsNotAHostName) {
  for (const char* bad : {"", "-a", "a-", "-", "Alice", "a.b", "a b", "a_b", "\xc3\xa4", "a\n"}) {
    EXPECT_FALSE(is_label(bad)) << bad;
  }
  EXPECT_FALSE(is_label(std::string(64, 'a')));
  EXPECT_FALSE(is_label(std::string_view("a\0b", 3)));
}

TEST(RevocationReason, HasTheNumbersOfRfc5280) {
  EXPECT_EQ(revocation_reason("unspecified"), 0);
  EXPECT_EQ(revocation_reason("keyCompromise"), 1);
  EXPECT_EQ(revocation_reason("superseded"), 4);
  EXPECT_EQ(revocation_reason("cessationOfOperation"), 5);
}

TEST(RevocationReason, RefusesWhatCanBeTakenBackOrIsNotAboutClients) {
  for (const char* bad : {"", "certificateHold", "removeFromCRL", "cACompromise", "KeyCompromise", "lost"}) {
    EXPECT_FALSE(revocation_reason(bad)) << bad;
  }
}

TEST(RevocationReason, ListsTheNamesForMessages) {
  EXPECT_EQ(revocation_reasons(),
            "unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn");
}

TEST(HostName, IsLabelsBetweenDots) {
  for (const char* good : {"a", "vpn.contoso.example", "VPN.Contoso.Example", "5-5-5-1.example"}) {
    EXPECT_TRUE(is_host_name(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string("."), std::string("a."), std::string("a..b"),
                                 std::string("a b"), std::string("a,DNS:b"), std::string(254, 'a')}) {
    EXPECT_FALSE(is_host_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace gw
