// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/relay/target.h"

#include <gtest/gtest.h>

namespace gw::relay {
namespace {

TEST(Target, IsWrittenIntoAPathAndReadAgain) {
  const std::pair<Target, const char*> cases[] = {
      {{"vpn.contoso.example", 51820}, "/.well-known/masque/udp/vpn.contoso.example/51820/"},
      {{"5.5.5.1", 443}, "/.well-known/masque/udp/5.5.5.1/443/"},
      {{"2001:db8::1", 51820}, "/.well-known/masque/udp/2001%3Adb8%3A%3A1/51820/"}};
  for (const auto& [target, path] : cases) {
    EXPECT_EQ(path_of(target), path);
    EXPECT_EQ(target_of(path), target);
  }
  EXPECT_EQ(target_of("/.well-known/masque/udp/VPN.Contoso.example/1/"), (Target{"vpn.contoso.example", 1}));
  EXPECT_EQ(target_of("/.well-known/masque/udp/2001:DB8::1/1/"), (Target{"2001:db8::1", 1})) << "not encoded";
}

TEST(Target, IsNoneInAPathThatNamesNoHostOrPort) {
  for (const char* path :
       {"", "/", "/.well-known/masque/udp/", "/.well-known/masque/udp//", "/.well-known/masque/udp//1/",
        "/.well-known/masque/udp/a/", "/.well-known/masque/udp/a/1", "/.well-known/masque/udp/a/0/",
        "/.well-known/masque/udp/a/65536/", "/.well-known/masque/udp/a/1/2/", "/.well-known/masque/udp/a%/1/",
        "/.well-known/masque/udp/a%4/1/", "/.well-known/masque/udp/%zz/1/", "/.well-known/masque/udp/a/1x/",
        "/.well-known/masque/tcp/a/1/"})
    EXPECT_FALSE(target_of(path)) << path;
}

TEST(Target, IsReadFromAnEndpoint) {
  EXPECT_EQ(parse_target("VPN.contoso.example:51820"), (Target{"vpn.contoso.example", 51820}));
  EXPECT_EQ(parse_target("[2001:db8::1]:51820"), (Target{"2001:db8::1", 51820}));
  EXPECT_FALSE(parse_target("vpn.contoso.example"));
  EXPECT_FALSE(parse_target(":1"));
}

}  // namespace
}  // namespace gw::relay
