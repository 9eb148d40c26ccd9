// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/proxy.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstdlib>

#include "tests/support/must.h"

namespace gw::connect {
namespace {

using gw::test::must;
using testing::HasSubstr;
using testing::Not;

TEST(ConnectProxy, IsReadFromAUrlAndWrittenAgain) {
  const Proxy plain = must(parse_proxy("http://proxy.contoso.example:8080"));
  EXPECT_EQ(plain.server, (HostPort{"proxy.contoso.example", 8080}));
  EXPECT_EQ(plain.credentials, "");
  EXPECT_EQ(must(parse_proxy("proxy.contoso.example")).server.port, 3128);
  EXPECT_EQ(must(parse_proxy("http://[2001:db8::1]:1/")).server, (HostPort{"2001:db8::1", 1}));
  const Proxy named = must(parse_proxy("http://anna:p%40ss%3Aw%C3%B6rd@10.0.0.1:3128/"));
  EXPECT_EQ(named.credentials, "anna:p@ss:w\xc3\xb6rd");
  EXPECT_EQ(must(parse_proxy(proxy_url(named))), named);
  EXPECT_EQ(must(parse_proxy(proxy_url(plain))), plain);
}

TEST(ConnectProxy, IsNoneInOtherTextsAndThePasswordIsNotTold) {
  for (const char* url : {"", "http://", "http://a:b@", "http://secret@host", "http://a:%zz@host", "http://host:0",
                          "http://a:secret%0d%0aX: y@host", "http://ho st"}) {
    const auto proxy = parse_proxy(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().code, EINVAL);
    EXPECT_THAT(proxy.error().message(), Not(HasSubstr("secret")));
  }
  EXPECT_EQ(parse_proxy("socks5://host").error().code, ENOTSUP);
}

TEST(ConnectProxy, IsPassedByForWhatNoProxyNames) {
  EXPECT_TRUE(is_exempt("localhost, .contoso.example", "vpn.contoso.example"));
  EXPECT_TRUE(is_exempt("contoso.example", "contoso.example"));
  EXPECT_FALSE(is_exempt("contoso.example", "notcontoso.example"));
  EXPECT_TRUE(is_exempt("*", "anything"));
  EXPECT_TRUE(is_exempt("10.0.0.0/8,fd00::/8", "10.1.2.3"));
  EXPECT_TRUE(is_exempt("fd00::/8", "fd00::1"));
  EXPECT_FALSE(is_exempt("10.0.0.0/8", "vpn.contoso.example"));
  EXPECT_FALSE(is_exempt("", "host"));
  EXPECT_FALSE(is_exempt(",,", "host"));
}

TEST(ConnectProxy, ComesFromTheEnvironment) {
  const HostPort server{"vpn.contoso.example", 443};
  ::unsetenv("https_proxy");
  ::unsetenv("no_proxy");
  ::setenv("HTTPS_PROXY", "http://upper:1", 1);
  EXPECT_EQ(must(proxy_of_environment(server))->server.host, "upper");
  ::setenv("https_proxy", "http://lower:1", 1);
  EXPECT_EQ(must(proxy_of_environment(server))->server.host, "lower");
  ::setenv("no_proxy", "contoso.example", 1);
  EXPECT_FALSE(must(proxy_of_environment(server)));
  ::unsetenv("https_proxy");
  ::unsetenv("HTTPS_PROXY");
  ::unsetenv("no_proxy");
  EXPECT_FALSE(must(proxy_of_environment(server)));
}

}  // namespace
}  // namespace gw::connect
