// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/join_link.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace gw::connect {
namespace {

const std::string kToken = "abcdefghijklmnopqrstuvwxy2";
const std::string kFingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::string link(const std::string& server) {
  return "https://" + server + "/join#token=" + kToken + "&ca=" + kFingerprint;
}

TEST(JoinLink, TellsServerTokenAndAuthority) {
  const auto parsed = parse_join_link(link("vpn.Contoso.example"));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->server, (HostPort{"vpn.contoso.example", 443}));
  EXPECT_EQ(parsed->token.text, kToken);
  EXPECT_EQ(parsed->fingerprint, kFingerprint);
}

TEST(JoinLink, IsKnownAgainByADigestOfAllThatItHolds) {
  const std::string one = link("vpn.contoso.example");
  std::string other_token = one;
  other_token[other_token.find(kToken)] = 'b';
  std::string other_authority = one;
  other_authority.back() = '0';
  const std::string digest = parse_join_link(one)->digest();
  EXPECT_EQ(digest, parse_join_link(link("VPN.contoso.example:443"))->digest());
  for (const std::string& other : {other_token, other_authority, link("vpn.contoso.example:8443")})
    EXPECT_NE(parse_join_link(other)->digest(), digest) << other;
  EXPECT_EQ(digest.find(kToken), std::string::npos);
}

TEST(JoinLink, MayNameAPortAndAnAddress) {
  EXPECT_EQ(parse_join_link(link("5.5.5.1:8443"))->server, (HostPort{"5.5.5.1", 8443}));
  EXPECT_EQ(parse_join_link(link("[2001:DB8::1]:8443"))->server, (HostPort{"2001:db8::1", 8443}));
  EXPECT_EQ(parse_join_link(link("[2001:db8::1]"))->server, (HostPort{"2001:db8::1", 443}));
}

TEST(JoinLink, IsRefusedWhereAnythingIsNotAsWritten) {
  const std::string good = link("vpn.contoso.example");
  for (const std::string& bad : {std::string(),
                                 std::string("https://"),
                                 "http" + good.substr(5),
                                 good.substr(0, good.size() - 1),
                                 good + "0",
                                 good + "&x=1",
                                 link(""),
                                 link("vpn.contoso.example:"),
                                 link("vpn.contoso.example:0"),
                                 link("vpn.contoso.example:65536"),
                                 link("vpn.contoso.example:0443"),
                                 link("user@vpn.contoso.example"),
                                 link("2001:db8::1"),
                                 link("[5.5.5.1]"),
                                 link("[2001:db8::1"),
                                 link("5.5.5.256"),
                                 link("-a.example"),
                                 link("a..example"),
                                 link("vpn.contoso.example/x"),
                                 link("vpn contoso"),
                                 link(std::string(254, 'a')),
                                 "https://a.example/join?token=" + kToken + "&ca=" + kFingerprint,
                                 "https://a.example/join#token=" + kToken.substr(1) + "&ca=" + kFingerprint,
                                 "https://a.example/join#token=1" + kToken.substr(1) + "&ca=" + kFingerprint,
                                 "https://a.example/join#token=" + kToken + "&ca=" + "A" + kFingerprint.substr(1)}) {
    const auto parsed = parse_join_link(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, EINVAL);
    EXPECT_EQ(parsed.error().message().find(kToken), std::string::npos);
  }
}

}  // namespace
}  // namespace gw::connect
