// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/proxy.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstdlib>

#include "ctl/connect/membership.h"
#include "gatewayd/base/file.h"
#include "tests/support/must.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/connect/sample.h"

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

TEST(ConnectProxy, IsChangedForANetworkAndItsPasswordLiesInItsFileAlone) {
  const gw::test::TempDir directory;
  const Store store(directory / "state");
  Network network = test::sample_network();
  network.hop = test::ip("192.0.2.1");
  must(store.prepare());
  must(store.reserve(network.id));
  must(store.save(network));
  must(set_proxy(store, network.id, must(parse_proxy("http://anna:0ld@proxy:8080"))));
  must(set_proxy(store, network.id, must(parse_proxy("http://anna:n3w@proxy:8080"))));
  const Network changed = must(store.load(network.id));
  EXPECT_EQ(changed.proxy, "proxy:8080");
  EXPECT_EQ(changed.proxy_changes, 2U) << "it is another though it has the same name";
  EXPECT_EQ(changed.hop, std::nullopt);
  EXPECT_EQ(must(store.read_proxy(network.id))->credentials, "anna:n3w");
  EXPECT_THAT(must(read_file(store.directory_of(network.id) + "/network.json")), Not(HasSubstr("n3w")));
  must(set_proxy(store, network.id, std::nullopt));
  EXPECT_EQ(must(store.load(network.id)).proxy, "");
  EXPECT_EQ(must(store.read_proxy(network.id)), std::nullopt);
  EXPECT_EQ(set_proxy(store, "nobody", std::nullopt).error().code, ENOENT);
}

TEST(ConnectProxy, OfTheServiceIsWrittenDownWithoutItsPassword) {
  const gw::test::TempDir directory;
  const Store store(directory / "state");
  const Network network = test::sample_network();
  must(store.prepare());
  must(store.reserve(network.id));
  must(store.save(network));
  EXPECT_FALSE(is_environment_new(network));
  ::setenv("https_proxy", "http://anna:n3w@proxy:8080", 1);
  EXPECT_TRUE(is_environment_new(network));
  must(note_environment(store, network.id));
  const Network noted = must(store.load(network.id));
  EXPECT_EQ(noted.service_proxy, "proxy:8080");
  EXPECT_FALSE(is_environment_new(noted));
  EXPECT_THAT(must(read_file(store.directory_of(network.id) + "/network.json")), Not(HasSubstr("n3w")));
  ::unsetenv("https_proxy");
  must(note_environment(store, network.id));
  EXPECT_EQ(must(store.load(network.id)).service_proxy, "");
}

}  // namespace
}  // namespace gw::connect
