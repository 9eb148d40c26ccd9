// SPDX-License-Identifier: Apache-2.0
// A device in a network that lets nothing out but through an HTTP proxy: WireGuard goes through TLS there.
#include <csignal>
#include <fstream>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/netns/gateway/member.h"

namespace gw::test {
namespace {

constexpr const char* kWeb = "10.1.1.10";
constexpr const char* kProxy = "192.168.7.1:8888";
constexpr const char* kRules = R"(rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp, tcp/80]}
)";
constexpr std::chrono::seconds kSettle{90};

/// A laptop on 192.168.7.0/24, whose only neighbour is a machine with one foot in the internet, that forwards nothing
/// and runs tinyproxy.
class Relay : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) + kRules);
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
    connect(lab_.internet(), "proxy-in", proxy_, "eth1");
    lab_.internet().ip(
        {"link add br1 type bridge", "link set br1 up", "link set laptop master br1", "link set proxy-in master br1"});
    proxy_.ip({"address add 192.168.7.1/24 dev eth1"});
    laptop_.host().ip(
        {"address flush dev eth0", "address add 192.168.7.2/24 dev eth0", "route add default via 192.168.7.1"});
  }
  void TearDown() override {
    if (HasFailure())
      std::cerr << laptop_.log() << laptop_.gwconnect("status").out << lab_.log() << lab_.enrolment_log()
                << read_file(lab_.directory() + "/proxy.log").value_or("") << std::endl;
  }

  void start_proxy(const std::string& more = "ConnectPort 443\n") {
    const std::string path = lab_.directory() + "/proxy.conf";
    std::ofstream(path) << "Port 8888\nListen 192.168.7.1\nTimeout 600\nMaxClients 20\nLogLevel Connect\n" << more;
    process_ = proxy_.start_threaded({"tinyproxy", "-d", "-c", path}, lab_.directory() + "/proxy.log");
    ASSERT_TRUE(Lab::eventually([&] { return try_tcp(laptop_.host(), "192.168.7.1", 8888) == Reach::open; }));
  }
  /// What the machine in the middle lets through beside its proxy: nothing, or all with `condition` of nft(8).
  void forward(const std::string& condition) {
    proxy_.must("sysctl -qw net.ipv4.ip_forward=1");
    proxy_.must(Arguments{
        "nft",
        "add table ip out; add chain ip out post { type nat hook postrouting priority 100; }; add rule ip out "
        "post oifname eth0 masquerade; add chain ip out forward { type filter hook forward priority 0; policy "
        "drop; }; add rule ip out forward ct state established accept; add rule ip out forward " +
            condition});
  }
  std::string link(const std::string& invitation = "--group developers") {
    return lab_.invite(invitation).at("link").get<std::string>();
  }
  nlohmann::json status() const { return laptop_.status().at(0); }
  bool goes_by(const std::string& transport, std::chrono::seconds limit = kSettle) const {
    return Lab::eventually(
        [&] {
          const auto now = status();
          return now.at("transport") == transport && now.at("up") == true;
        },
        limit);
  }
  void join_and_start(const std::string& options, const std::string& invitation = "--group developers") {
    laptop_.start("--udp-retry 1");
    const Output joined = laptop_.gwconnect("join " + link(invitation) + " --name laptop " + options);
    ASSERT_NE(joined.out.find("Joined contoso as laptop"), std::string::npos) << joined.out << joined.err;
  }
  /// What the gateway answers to a request that openssl(1) sends as it stands, with the certificate of NAME.crt. A
  /// stream that stays open is left after five seconds, by status 124.
  Output ask(const std::string& name, const std::string& head, const std::string& body = {}) {
    return lab_.outside().run(question(name, head, body, 5));
  }
  /// The same, and returns when it was answered; it stays open.
  Process open_stream(const std::string& name, const std::string& head) {
    const std::string log = lab_.directory() + "/stream" + std::to_string(++streams_);
    Process out = lab_.outside().start(question(name, head, {}, 300), log);
    EXPECT_TRUE(Lab::eventually([&] { return read_file(log).value_or("").contains("HTTP/1.1 101 "); }));
    return out;
  }

  Arguments question(const std::string& name, const std::string& head, const std::string& body, int seconds) const {
    const std::string path = lab_.directory() + "/" + name;
    const std::string identity = name.empty() ? "" : " -cert " + path + ".crt -key " + path + ".key";
    return {"sh", "-c",
            "printf '" + head + R"(Host: 5.5.5.1\r\n\r\n)" + body + "' | timeout " + std::to_string(seconds) +
                " openssl s_client -quiet -connect 5.5.5.1:443" + identity};
  }

  int streams_ = 0;
  Lab lab_{GW_BINARY_DIR};
  Member laptop_{lab_, "laptop"};
  Host& proxy_ = lab_.attach("proxy");
  Process process_;
};

TEST_F(Relay, CarriesTheTunnelThroughAProxyAndComesBackWithIt) {
  start_proxy();
  join_and_start("--proxy http://" + std::string(kProxy));
  ASSERT_TRUE(goes_by("tls"));
  EXPECT_EQ(status().at("proxy"), kProxy);
  EXPECT_TRUE(laptop_.reaches(kWeb));
  const Socket web = listen_tcp(lab_.web(), kWeb, 80);
  EXPECT_EQ(try_tcp(laptop_.host(), kWeb, 80), Reach::open);
  EXPECT_NE(laptop_.gwconnect("status").out.find("TLS 443 through proxy " + std::string(kProxy)), std::string::npos);
  EXPECT_NE(lab_.must_gwctl("client show laptop").find(", through TLS"), std::string::npos);

  process_.end(SIGKILL);
  EXPECT_TRUE(Lab::eventually(
      [&] { return status().at("problems").dump().find("reach the proxy") != std::string::npos; }, kSettle))
      << status();
  start_proxy();
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(laptop_.host(), kWeb) == Reach::open; }, kSettle));
  EXPECT_TRUE(goes_by("tls"));

  lab_.must_gwctl("client revoke laptop");
  EXPECT_NE(try_ping(laptop_.host(), kWeb, kSilence), Reach::open);
  EXPECT_TRUE(Lab::eventually(
      [&] { return status().at("problems").dump().find("the client has no access") != std::string::npos; }, kSettle))
      << status();
}

TEST_F(Relay, GivesWayToUdpWhenThatAnswersAndTakesOverAgain) {
  start_proxy();
  join_and_start("--proxy http://" + std::string(kProxy));
  ASSERT_TRUE(goes_by("tls"));
  EXPECT_TRUE(laptop_.reaches(kWeb));
  forward("udp dport 51820 accept");
  // A new key has a handshake at once, and not in two minutes; the first may come before UDP is tried.
  EXPECT_TRUE(Lab::eventually(
      [&] {
        laptop_.must("renew --rotate");
        return goes_by("udp", std::chrono::seconds(7));
      },
      kSettle));
  EXPECT_TRUE(laptop_.reaches(kWeb));
  EXPECT_NE(laptop_.log().find("UDP answers again"), std::string::npos);
  proxy_.must("sysctl -qw net.ipv4.ip_forward=0");
  EXPECT_NE(try_ping(laptop_.host(), kWeb, kSilence), Reach::open);
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(laptop_.host(), kWeb) == Reach::open; }, kSettle));
  EXPECT_EQ(status().at("transport"), "tls");
}

TEST_F(Relay, TellsTheProxyWhoAsksAndSaysWhatIsWrong) {
  start_proxy("ConnectPort 443\nBasicAuth anna p4ss\n");
  const auto refused = [&](const std::string& proxy) {
    return laptop_.gwconnect("join " + link() + " --name laptop --proxy http://" + proxy).err;
  };
  EXPECT_NE(refused(kProxy).find("it wants a name and a password (407)"), std::string::npos);
  EXPECT_NE(refused("anna:wrong@" + std::string(kProxy)).find("does not take the name and the password"),
            std::string::npos);
  EXPECT_TRUE(laptop_.status().empty());
  laptop_.set_environment({"https_proxy=http://anna:p4ss@" + std::string(kProxy)});
  join_and_start("");
  ASSERT_TRUE(goes_by("tls"));
  EXPECT_TRUE(laptop_.reaches(kWeb));
  laptop_.set_environment({});
  laptop_.must("renew");
  const std::string directory = laptop_.state() + "/5.5.5.1/";
  EXPECT_EQ(laptop_.host().must({"stat", "-c", "%a", directory + "proxy"}), "600\n");
  EXPECT_EQ(read_file(directory + "network.json").value_or("p4ss").find("p4ss"), std::string::npos);
  process_.end(SIGKILL);
  start_proxy("ConnectPort 8443\n");
  EXPECT_NE(laptop_.gwconnect("renew").err.find("it lets nobody through to 5.5.5.1:443 (403)"), std::string::npos);
}

TEST_F(Relay, GoesOnWithAnotherPasswordThatWasGivenToTheRunningService) {
  start_proxy("ConnectPort 443\nBasicAuth anna 0ld\n");
  join_and_start("--proxy http://anna:0ld@" + std::string(kProxy));
  ASSERT_TRUE(goes_by("tls"));
  process_.end(SIGKILL);
  start_proxy("ConnectPort 443\nBasicAuth anna n3w\n");
  const std::string advice = "gwconnect set 5.5.5.1 --proxy http://NAME:PASSWORD@" + std::string(kProxy);
  EXPECT_TRUE(
      Lab::eventually([&] { return status().at("problems").dump().find(advice) != std::string::npos; }, kSettle))
      << status();
  const Output wrong = laptop_.gwconnect("set --proxy http://anna:wr0ng@" + std::string(kProxy));
  EXPECT_NE(wrong.err.find("it does not take the name and the password"), std::string::npos) << wrong.err;
  laptop_.must("set contoso --proxy http://anna:n3w@" + std::string(kProxy));
  EXPECT_TRUE(goes_by("tls"));
  EXPECT_TRUE(laptop_.reaches(kWeb));
  EXPECT_EQ(status().at("problems"), nlohmann::json::array());
  EXPECT_EQ(status().at("configured_proxy"), kProxy);
  const std::string directory = laptop_.state() + "/5.5.5.1/";
  EXPECT_EQ(laptop_.host().must({"stat", "-c", "%a", directory + "proxy"}), "600\n");
  for (const char* secret : {"0ld", "wr0ng", "n3w"}) {
    EXPECT_EQ(laptop_.log().find(secret), std::string::npos) << secret;
    EXPECT_EQ(read_file(directory + "network.json").value_or(secret).find(secret), std::string::npos) << secret;
  }
  EXPECT_FALSE(laptop_.gwconnect("set --proxy none").ok()) << "there is no other way to the gateway";
  EXPECT_FALSE(laptop_.host().run({"test", "-e", directory + "proxy"}).ok());
  EXPECT_TRUE(Lab::eventually([&] { return status().at("transport") == "udp"; }, kSettle)) << "the stream goes too";
}

// It stands where the tunnel leads: only what carries the tunnel's mark comes to it.
TEST_F(Relay, GoesThroughAProxyOfTheServicesEnvironmentThatLiesWithinTheTunnelsPrefixes) {
  const std::string proxy = "10.1.1.99:8888";
  proxy_.ip({"address add 10.1.1.99/32 dev eth1"});
  forward("tcp dport 443 accept");
  const Output joined = laptop_.gwconnect("join " + link() + " --name laptop");
  ASSERT_NE(joined.out.find("Joined contoso as laptop"), std::string::npos) << joined.err;
  proxy_.must("sysctl -qw net.ipv4.ip_forward=0");
  start_proxy("ConnectPort 443\nListen 10.1.1.99\n");
  laptop_.set_environment({"https_proxy=http://" + proxy});
  laptop_.start("--udp-retry 1");
  ASSERT_TRUE(goes_by("tls"));
  EXPECT_EQ(status().at("proxy"), proxy);
  EXPECT_EQ(status().at("configured_proxy"), proxy);
  EXPECT_TRUE(laptop_.reaches(kWeb)) << "what is behind the tunnel in the same prefix";
  EXPECT_NE(lab_.must_gwctl("client list").find("  TLS  "), std::string::npos);
}

TEST_F(Relay, GoesThroughNoProxyWhereThereIsNoneAndPastAFullTunnelThatFailsClosed) {
  forward("tcp dport 443 accept");
  join_and_start("--fail-closed", "--group developers --tunnel full");
  ASSERT_TRUE(goes_by("tls"));
  EXPECT_EQ(status().at("proxy"), "");
  EXPECT_TRUE(laptop_.reaches(kWeb));
  const Socket outside = listen_tcp(lab_.outside(), "5.5.5.200", 443);
  EXPECT_NE(try_tcp(laptop_.host(), "5.5.5.200", 443, kSilence), Reach::open) << "no rule allows it";
  laptop_.end(SIGKILL);
  EXPECT_NE(try_tcp(laptop_.host(), "5.5.5.200", 443, kSilence), Reach::open) << "it went past the tunnel";
  laptop_.start();
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(laptop_.host(), kWeb) == Reach::open; }, kSettle));
  laptop_.end(SIGTERM);
  EXPECT_EQ(status().at("transport"), "udp") << "no stream outlives the service";
}

TEST_F(Relay, LeadsToWireGuardAloneAndOnlyWhoHasACertificate) {
  const std::string path = lab_.directory() + "/alice";
  lab_.must_gwctl("client add alice --group developers --out " + path + ".conf --cert-out " + path);
  const std::string upgrade = R"(Connection: Upgrade\r\nUpgrade: connect-udp\r\nCapsule-Protocol: ?1\r\n)";
  const auto get = [](const std::string& target) {
    return "GET /.well-known/masque/udp/" + target + R"(/ HTTP/1.1\r\n)";
  };
  const std::string right = get("5.5.5.1/51820");
  const auto [status, opened, ignored] = ask("alice", right + upgrade);
  EXPECT_TRUE(opened.starts_with("HTTP/1.1 101 ")) << opened;
  EXPECT_EQ(status, 124) << "it stays open";
  EXPECT_NE(opened.find("Upgrade: connect-udp\r\n"), std::string::npos) << opened;
  EXPECT_NE(opened.find("Capsule-Protocol: ?1\r\n"), std::string::npos) << opened;
  for (const char* target : {"5.5.5.200/53", "127.0.0.1/51820", "5.5.5.1/22", "10.1.1.10/80"}) {
    const std::string other = ask("alice", get(target) + upgrade).out;
    EXPECT_TRUE(other.starts_with("HTTP/1.1 403 ")) << other;
    EXPECT_NE(other.find("Proxy-Status: gatewayd-enroll; error=destination_ip_prohibited"), std::string::npos) << other;
  }
  EXPECT_TRUE(ask("", right + upgrade).out.starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(ask("alice", right).out.starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("alice", get("5.5.5.1") + upgrade).out.starts_with("HTTP/1.1 400 "));
  const Output ended = ask("alice", right + upgrade, R"(\000\300\000\000\001\000\000\000\000)");
  EXPECT_TRUE(ended.out.starts_with("HTTP/1.1 101 ")) << ended.out;
  EXPECT_NE(ended.status, 124) << "a capsule that is too long ends it";
  // A client has two streams; a third ends the first. Those that are open end with its access.
  std::vector<Process> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(open_stream("alice", right + upgrade));
  EXPECT_NE(streams[0].wait(kSettle), -1);
  EXPECT_EQ(streams[1].wait(kSilence), -1);
  lab_.must_gwctl("client revoke alice");
  EXPECT_NE(streams[1].wait(kSettle), -1);
  EXPECT_NE(streams[2].wait(kSettle), -1);
  EXPECT_TRUE(ask("alice", right + upgrade).out.starts_with("HTTP/1.1 403 "));
}

}  // namespace
}  // namespace gw::test
