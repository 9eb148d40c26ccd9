// SPDX-License-Identifier: Apache-2.0
// Names of clients and hosts, served by a real dnsmasq and asked for with dig.
#include <gmock/gmock.h>

#include <chrono>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::seconds kPatience{10};
constexpr const char* kServer = "172.16.201.1";
constexpr const char* kResolver = "5.5.5.200";

constexpr const char* kHead = R"(gateway:
  name: contoso
  public: {interface: eth0, endpoint: "5.5.5.1:51820"}
network: {address_space: [10.1.0.0/16, "fd10:1::/32"]}
vpn:
  interface: wg0
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
)";
constexpr const char* kSubnets = R"(subnets:
  web: {prefixes: [10.1.1.0/24, "fd10:1:1::/64"], interface: eth1, address: [10.1.1.1, "fd10:1:1::1"], WEB}
  data: {prefixes: [10.1.2.0/24, "fd10:1:2::/64"], interface: eth2, address: [10.1.2.1, "fd10:1:2::1"], DATA}
)";

std::string with(std::string text, const std::string& word, const std::string& replacement) {
  return text.replace(text.find(word), word.size(), replacement);
}

/// A gateway with clients alice and bob, and a resolver of the internet that writes down what it is asked.
class Names : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab_ = std::make_unique<Lab>(GW_BINARY_DIR);
    lab_->configure(kGroups);
    lab_->start();
    // Before there are names: wg-quick would want a resolvconf for them.
    lab_->enrol("alice", "developers");
    lab_->enrol("bob", "contractors");
    resolver_ = lab_->outside().start(
        {"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file", "--no-resolv",
         "--no-hosts", "--bind-interfaces", std::string("--listen-address=") + kResolver, "--log-facility=-",
         "--log-queries", "--host-record=www.example,198.51.100.7", "--host-record=evil.example,172.16.201.3",
         "--host-record=corp.example,10.1.1.10"},
        lab_->directory() + "/resolver.log");
    lab_->start_names();
  }
  static void TearDownTestSuite() {
    resolver_.end(SIGTERM);
    lab_.reset();
  }
  void SetUp() override {
    serve("vpn.internal");
    ASSERT_TRUE(answers(alice(), {"db.vpn.internal"}, "10.1.2.10"));
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_->log() << "names:\n" << lab_->names_log() << std::endl;
  }

  static Lab& lab() { return *lab_; }
  static const Host& alice() { return lab_->client("alice"); }
  static const Host& bob() { return lab_->client("bob"); }
  static std::string resolver_log() { return read_file(lab_->directory() + "/resolver.log").value_or(""); }

  static void serve(const std::string& domain, const std::string& rules = {}) {
    const std::string dns = "  dns: {domain: " + domain + ", forward: [" + kResolver + "]}\n";
    const std::string web = R"(hosts: {www: [10.1.1.10, "fd10:1:1::10"], shop: 10.1.1.10})";
    const std::string data = "hosts: {db: 10.1.2.10}";
    const bool names = !domain.empty();
    const std::string subnets = with(with(kSubnets, "WEB", names ? web : ""), "DATA", names ? data : "");
    lab_->write_file("gateway.yaml", kHead + (names ? dns : "") + subnets + kGroups + rules);
    lab_->must_gwctl("apply");
  }
  /// What dig prints for a question put once.
  static Output dig(const Host& host, const Arguments& question, const char* server = kServer, int seconds = 2) {
    // As a child of timeout(1): whoever entered a PID namespace can start no thread, its children can.
    Arguments command = {
        "timeout", "20", "dig", "+tries=1", "+time=" + std::to_string(seconds), std::string("@") + server};
    command.insert(command.end(), question.begin(), question.end());
    return host.run(command);
  }
  /// The records alone, a line each; empty for none.
  static std::string lookup(const Host& host, Arguments question, const char* server = kServer) {
    question.insert(question.begin(), "+short");
    const Output output = dig(host, question, server);
    return output.ok() ? output.out : "no answer\n";
  }
  static bool answers(const Host& host, const Arguments& question, const std::string& record) {
    return Lab::eventually([&] { return lookup(host, question) == record + "\n"; }, kPatience);
  }
  /// Whether anybody there answers at all.
  static bool is_silent(const Host& host, const char* server) {
    return !dig(host, {"www.vpn.internal"}, server, 1).ok();
  }
  /// Milliseconds until the answer is this.
  static long time_until(const Arguments& question, const std::string& answer) {
    const auto begin = steady_clock::now();
    EXPECT_TRUE(Lab::eventually([&] { return lookup(alice(), question) == answer; })) << question.front();
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin).count();
  }

  inline static std::unique_ptr<Lab> lab_;
  inline static Process resolver_;
};

TEST_F(Names, OfClientsHostsAndTheGatewayAreFoundForwardsAndBackwards) {
  const std::string bob4 = lab().address("bob", 4);
  const std::string bob6 = lab().address("bob", 6);
  EXPECT_EQ(lookup(alice(), {"bob.vpn.internal", "A"}), bob4 + "\n");
  EXPECT_EQ(lookup(alice(), {"BOB.VPN.internal", "AAAA"}), bob6 + "\n");
  EXPECT_EQ(lookup(alice(), {"-x", bob4}), "bob.vpn.internal.\n");
  EXPECT_EQ(lookup(alice(), {"-x", bob6}), "bob.vpn.internal.\n");
  EXPECT_EQ(lookup(alice(), {"db.vpn.internal"}), "10.1.2.10\n");
  EXPECT_EQ(lookup(alice(), {"www.vpn.internal", "AAAA"}), "fd10:1:1::10\n");
  EXPECT_EQ(lookup(alice(), {"shop.vpn.internal"}), "10.1.1.10\n");
  EXPECT_EQ(lookup(alice(), {"-x", "10.1.2.10"}), "db.vpn.internal.\n");
  EXPECT_EQ(lookup(alice(), {"gateway.vpn.internal"}), "172.16.201.1\n");
  EXPECT_EQ(lookup(alice(), {"contoso.vpn.internal", "AAAA"}), "fd6d:706e:6c61::1\n");
  EXPECT_EQ(lookup(alice(), {"-x", kServer}), "contoso.vpn.internal.\n");
  EXPECT_EQ(lookup(alice(), {"+tcp", "db.vpn.internal"}), "10.1.2.10\n");
  EXPECT_EQ(lookup(alice(), {"db.vpn.internal"}, "fd6d:706e:6c61::1"), "10.1.2.10\n");
  EXPECT_THAT(dig(alice(), {"nobody.vpn.internal"}).out, HasSubstr("status: NXDOMAIN"));
}

TEST_F(Names, OfOthersAreAskedForAndOwnOnesNever) {
  EXPECT_EQ(lookup(alice(), {"www.example"}), "198.51.100.7\n");
  EXPECT_EQ(lookup(alice(), {"corp.example"}), "10.1.1.10\n") << "a resolver may name hosts of our subnets";
  EXPECT_THAT(dig(alice(), {"evil.example"}).out, HasSubstr("status: NXDOMAIN"))
      << "a resolver names clients only to have somebody's browser talk to them";
  for (const Arguments& own :
       {Arguments{"leak.vpn.internal"}, Arguments{"-x", "172.16.201.99"}, Arguments{"-x", "10.1.1.99"},
        Arguments{"-x", "fd10:1:1::99"}, Arguments{"-x", "192.168.77.7"}, Arguments{"leak"}})
    EXPECT_THAT(dig(alice(), own).out, HasSubstr("status: NXDOMAIN")) << own.back();
  const std::string asked = resolver_log();
  EXPECT_THAT(asked, HasSubstr("www.example"));
  EXPECT_THAT(asked, HasSubstr("evil.example"));
  for (const char* own : {"leak", "vpn.internal", "172.16.201.99", "10.1.1.99", "fd10:1:1::99", "192.168.77.7"})
    EXPECT_THAT(asked, Not(HasSubstr(own)));
}

TEST_F(Names, AreServedInsideAlone) {
  lab().outside().must("ip route replace 172.16.201.0/24 via 5.5.5.1");
  EXPECT_TRUE(is_silent(lab().outside(), kServer));
  EXPECT_TRUE(is_silent(lab().outside(), "5.5.5.1"));
  EXPECT_TRUE(is_silent(lab().web(), kServer)) << "no rule lets the subnet ask";
  EXPECT_TRUE(is_silent(alice(), "10.1.1.1")) << "served at one address, which profiles name";
  // What listens, whatever the filter says.
  const std::string sockets = lab().gateway().must("ss -Hlntu sport = 53");
  EXPECT_THAT(sockets, HasSubstr("172.16.201.1:53"));
  for (const char* other : {"0.0.0.0:53 ", "*:53 ", "[::]:53 ", "5.5.5.1:53 ", "10.1.1.1:53 ", "127.0.0.1:53 "})
    EXPECT_THAT(sockets, Not(HasSubstr(other)));

  serve("vpn.internal",
        "rules:\n  - {name: web-asks, action: allow, from: [subnet:web], to: [gateway], services: [dns]}\n");
  EXPECT_EQ(lookup(lab().web(), {"db.vpn.internal"}), "10.1.2.10\n");
  EXPECT_TRUE(is_silent(lab().data(), kServer));
}

TEST_F(Names, MayBeDeniedByARule) {
  EXPECT_THAT(lab().must_gwctl("rule list"), HasSubstr("builtin-gateway-dns"));
  serve("vpn.internal",
        "rules:\n  - {name: no-names, action: deny, from: [group:contractors], to: [gateway], services: [dns]}\n");
  EXPECT_TRUE(is_silent(bob(), kServer));
  EXPECT_EQ(lookup(alice(), {"db.vpn.internal"}), "10.1.2.10\n");
  EXPECT_THAT(lab().must_gwctl("explain client:bob gateway udp/53"), HasSubstr("no-names"));
}

TEST_F(Names, FollowClientsWithinASecond) {
  constexpr long kSecond = 1000;
  const Arguments dave = {"dave.vpn.internal"};
  lab().must_gwctl("client add dave --group developers --out " + lab().directory() + "/dave.conf");
  const std::string address = lab().address("dave", 4) + "\n";
  EXPECT_LT(time_until(dave, address), kSecond);
  lab().must_gwctl("client set dave --disable");
  EXPECT_LT(time_until(dave, ""), kSecond);
  EXPECT_THAT(dig(alice(), {"-x", lab().address("dave", 4)}).out, HasSubstr("status: NXDOMAIN"));
  lab().must_gwctl("client set dave --enable");
  EXPECT_LT(time_until(dave, address), kSecond);
  lab().must_gwctl("client revoke dave");
  EXPECT_LT(time_until(dave, ""), kSecond);
  EXPECT_THAT(lab().must_gwctl("client show bob"), HasSubstr("bob.vpn.internal"));
  EXPECT_THAT(lab().must_gwctl("client show dave"), Not(HasSubstr("dave.vpn.internal")));
  lab().must_gwctl("client remove dave");
}

TEST_F(Names, FollowTheConfiguration) {
  serve("corp.internal");
  EXPECT_TRUE(answers(alice(), {"bob.corp.internal"}, lab().address("bob", 4)));
  EXPECT_TRUE(answers(alice(), {"-x", "10.1.2.10"}, "db.corp.internal."));
  EXPECT_THAT(lookup(alice(), {"bob.vpn.internal"}), Not(HasSubstr(lab().address("bob", 4))));
  EXPECT_THAT(lab().must_gwctl("status"), Not(HasSubstr("not served")));
  serve("");
  EXPECT_TRUE(Lab::eventually([] { return lab().gateway().must("ss -Hlntu sport = 53").empty(); }));
  EXPECT_THAT(lab().must_gwctl("rule list"), Not(HasSubstr("builtin-gateway-dns")));
}

TEST_F(Names, ThatNobodyServesAreWarnedOf) {
  const auto warns = [](const char* text) {
    return Lab::eventually([&] { return lab().must_gwctl("status").find(text) != std::string::npos; });
  };
  lab().stop_names();
  EXPECT_TRUE(warns("names of vpn.internal are not served at 172.16.201.1: nobody listens on port 53"));
  lab().start_names();
  EXPECT_TRUE(answers(alice(), {"db.vpn.internal"}, "10.1.2.10"));
  EXPECT_THAT(lab().must_gwctl("status"), Not(HasSubstr("not served")));
}

TEST_F(Names, OutliveACrashOfGatewayd) {
  lab().crash();
  EXPECT_EQ(lookup(alice(), {"db.vpn.internal"}), "10.1.2.10\n");
  lab().start();
  EXPECT_EQ(lookup(alice(), {"db.vpn.internal"}), "10.1.2.10\n");
}

TEST_F(Names, ThatAreTakenAreRefusedWithThePlace) {
  const auto refused = [](const std::string& name) {
    const Output output = lab().gwctl("client add " + name + " --out " + lab().directory() + "/x.conf");
    EXPECT_EQ(output.status, 1) << name;
    return output.err;
  };
  EXPECT_THAT(refused("db"), HasSubstr("it is the name of a host of subnet 'data' at gateway.yaml:11:113"));
  EXPECT_THAT(refused("gateway"), HasSubstr("gateway.vpn.internal is the gateway itself"));
  EXPECT_THAT(refused("contoso"), HasSubstr("contoso.vpn.internal is the gateway itself"));
  EXPECT_THAT(refused("wpad"), HasSubstr("a name that programs give a meaning of their own"));
  std::string text = read_file(lab().config_directory() + "/gateway.yaml").value();
  text.replace(text.find("db: 10.1.2.10"), 2, "bob");
  lab().write_file("gateway.yaml", text);
  EXPECT_THAT(lab().gwctl("apply").err,
              HasSubstr("client bob: it is the name of a host of subnet 'data' at gateway.yaml:11:113"));
}

}  // namespace
}  // namespace gw::test
