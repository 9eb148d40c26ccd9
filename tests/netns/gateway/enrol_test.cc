// SPDX-License-Identifier: Apache-2.0
// Devices that let themselves in: an invitation, a real enrolment server, and curl and openssl as a client that knows
// nothing of this project but the protocol.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "gatewayd/base/base64.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/est.h"
#include "gatewayd/pki/pki.h"
#include "gatewayd/pki/proof.h"
#include "tests/netns/gateway/device.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/support/must.h"

namespace gw::test {
namespace {

using ::testing::Test;
using Json = nlohmann::json;

constexpr const char* kWeb = R"(rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
)";

class Enrol : public Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) + kWeb);
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << lab_.log() << lab_.enrolment_log() << std::endl;
  }
  std::string token(const std::string& options = "--group developers") {
    return lab_.invite(options).at("token").get<std::string>();
  }
  /// The one-line command of `gwctl token create`, without bringing the tunnel up.
  Output run_script(Host& host, const Json& invitation, const std::string& link) {
    const std::string command = "curl -fsSk --tlsv1.3 --pinnedpubkey 'sha256//" +
                                invitation.at("pin").get<std::string>() + "' " + kEnrolmentBase +
                                "/join.sh | NO_UP=1 WG_DIR=" + lab_.directory() + "/wg sh -s -- '" + link + "' laptop";
    return host.run({"sh", "-c", command});
  }

  Lab lab_{GW_BINARY_DIR};
};

TEST(EnrolFirst, TheConnectionThatStartsTheServerIsServed) {
  Lab lab(GW_BINARY_DIR);
  lab.configure(kGroups);
  lab.configure_enrolment();
  lab.start();
  const Process server =
      lab.gateway().start({"env", "DBUS_SYSTEM_BUS_ADDRESS=" + lab.bus_address(), "systemd-socket-activate", "-E",
                           "DBUS_SYSTEM_BUS_ADDRESS", "-l", "5.5.5.1:443", GW_BINARY_DIR "/gatewayd-enroll", "--state",
                           lab.directory() + "/enroll"},
                          lab.directory() + "/enroll.log");
  ASSERT_TRUE(Lab::eventually([&] { return !lab.gateway().must("ss -Htln sport = :443").empty(); }));
  const Output first =
      lab.outside().run(words("curl -fsSk " + std::string(kEnrolmentBase) + "/.well-known/est/cacerts"));
  EXPECT_TRUE(first.ok()) << first.err << lab.enrolment_log();
}

TEST_F(Enrol, WithNothingButTheOneLineCommand) {
  Host& laptop = lab_.attach("laptop");
  const Json invitation = lab_.invite("--group developers");
  const std::string link = invitation.at("link");
  const Output joined = run_script(laptop, invitation, link);
  ASSERT_TRUE(joined.ok()) << joined.out << joined.err;
  EXPECT_NE(joined.out.find("as laptop"), std::string::npos) << joined.out;

  laptop.must("wg-quick up " + lab_.directory() + "/wg/gw0.conf");
  EXPECT_TRUE(Lab::eventually([&] { return laptop.run(words("ping -c1 -W1 10.1.1.10")).ok(); }));
  EXPECT_FALSE(laptop.run(words("ping -c1 -W1 10.1.2.10")).ok()) << "no rule allows it";
  const std::string certificate = lab_.directory() + "/wg/gatewayd-gw0/client.crt";
  laptop.must("openssl verify -x509_strict -purpose sslclient -CAfile " + lab_.directory() +
              "/wg/gatewayd-gw0/ca.pem -untrusted " + lab_.state_directory() + "/ca/issuing.crt " + certificate);
  EXPECT_NE(lab_.must_gwctl("token list").find("laptop"), std::string::npos);

  lab_.must_gwctl("client revoke laptop");
  EXPECT_FALSE(laptop.run(words("ping -c1 -W1 10.1.1.10")).ok());
}

TEST_F(Enrol, TellsNothingToAGatewayThatIsNotTheLinks) {
  Host& laptop = lab_.attach("laptop");
  const Json invitation = lab_.invite("--group developers");
  std::string link = invitation.at("link");
  link.back() = link.back() == '0' ? '1' : '0';
  const Output refused = run_script(laptop, invitation, link);
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.err.find("Nothing was sent"), std::string::npos) << refused.err;
  EXPECT_NE(lab_.must_gwctl("token list").find("0 of 1"), std::string::npos);
  Json other = invitation;
  other["pin"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  const Output unknown = run_script(laptop, other, invitation.at("link"));
  EXPECT_NE(unknown.err.find("public key does not match"), std::string::npos) << unknown.err;
  EXPECT_EQ(unknown.out, "") << "not even the script is taken from another";
}

TEST_F(Enrol, OnceATokenAndTheReasonStaysInside) {
  const Device first(lab_, "first");
  const Device second(lab_, "second");
  const std::string secret = token();
  EXPECT_EQ(first.enrol(secret), "200") << first.answer();
  EXPECT_EQ(second.enrol(secret), "401");
  const std::string used = second.answer();
  EXPECT_EQ(second.enrol("aaaaaaaaaaaaaaaaaaaaaaaaaa"), "401");
  EXPECT_EQ(second.answer(), used) << "used or never made: the same to an outsider";
  EXPECT_NE(lab_.log().find("it is used up, by first; asked from 5.5.5."), std::string::npos);
  EXPECT_EQ(first.enrol(secret), "200") << "who lost the answer asks again";
}

TEST_F(Enrol, RenewsItselfAndReadsItsProfile) {
  const Device device(lab_, "device");
  ASSERT_EQ(device.enrol(token()), "200");
  device.keep();
  const Arguments with_certificate = {"--cert", device.path("client.crt"), "--key", device.path("client.key")};
  ASSERT_EQ(device.curl("/.well-known/gatewayd/profile", with_certificate), "200") << device.answer();
  const Json profile = Json::parse(device.answer());
  EXPECT_EQ(profile.at("client"), "device");
  EXPECT_EQ(profile.at("endpoint"), "5.5.5.1:51820");
  EXPECT_EQ(profile.at("addresses").size(), 2U);
  EXPECT_EQ(device.curl("/.well-known/gatewayd/profile"), "403") << "without a certificate";

  EXPECT_EQ(device.renew(), "200") << device.answer();
  const Json certificates = Json::parse(lab_.must_gwctl("--json cert list"));
  EXPECT_EQ(std::ranges::count(certificates, "device", [](const Json& c) { return c.at("client").get<std::string>(); }),
            2);
  lab_.must_gwctl("client revoke device");
  EXPECT_EQ(device.renew(), "403");
  EXPECT_EQ(device.curl("/.well-known/gatewayd/profile", with_certificate), "403");
}

TEST_F(Enrol, GivesNoCertificateForAnothersWireGuardKey) {
  const Device owner(lab_, "owner");
  ASSERT_EQ(owner.enrol(token()), "200");
  Device thief(lab_, "thief");
  thief.keys_.public_key = owner.keys_.public_key;
  EXPECT_EQ(thief.enrol(token()), "400");
  EXPECT_NE(thief.answer().find("not by the holder of this key"), std::string::npos) << thief.answer();
  EXPECT_FALSE(lab_.gwctl("client show thief").ok());
}

TEST_F(Enrol, AnswersWhatIsMalformedAndGoesOn) {
  const Device device(lab_, "device");
  const std::string post = "/.well-known/est/simpleenroll";
  const std::string type = "Content-Type: application/pkcs10";
  const std::string user = "token:" + token();
  EXPECT_EQ(device.curl(post), "405");
  EXPECT_EQ(device.curl(post, {"-u", user, "-d", "x"}), "415");
  EXPECT_EQ(device.curl(post, {"-H", type, "-d", "x"}), "401") << "no token";
  EXPECT_EQ(device.curl(post, {"-H", type, "-u", user, "-d", "!"}), "400");
  EXPECT_EQ(device.curl(post, {"-H", type, "-u", user, "-d", "AAAA"}), "400");
  device.write("big", std::string(30000, 'A'));
  EXPECT_EQ(device.curl(post, {"-H", type, "-u", user, "--data-binary", "@" + device.path("big")}), "413");
  EXPECT_EQ(device.curl("/", {"-H", "X: " + std::string(9000, 'a')}), "431");
  EXPECT_EQ(device.curl("/", {"-X", "DELETE"}), "405");
  EXPECT_EQ(device.curl("/nosuch"), "404");
  EXPECT_EQ(device.curl("/join"), "200");
  EXPECT_EQ(device.curl("/.well-known/est/csrattrs"), "200");
  EXPECT_FALSE(device.host().run(words("curl -sSk --tls-max 1.2 " + std::string(kEnrolmentBase) + "/")).ok());
  EXPECT_EQ(device.enrol(user.substr(6)), "200") << device.answer();
}

TEST_F(Enrol, PublishesTheAuthoritiesAndTheRevocationList) {
  const Device device(lab_, "device");
  ASSERT_EQ(device.enrol(token()), "200");
  ASSERT_EQ(device.curl("/.well-known/est/cacerts"), "200");
  const std::string chain = must(pki::pems_of(base64_decode(device.answer()).value()));
  EXPECT_NE(chain.find(must(read_file(lab_.state_directory() + "/ca/root.crt"))), std::string::npos);
  device.write("chain", chain);
  lab_.must_gwctl("client revoke device --reason keyCompromise");
  const auto listed = [&] {
    EXPECT_EQ(device.curl("/.well-known/gatewayd/crl"), "200");
    const std::string text = device.host().must("openssl crl -inform DER -noout -text -CAfile " + device.path("chain") +
                                                " -in " + device.path("answer"));
    return text.find("Key Compromise") != std::string::npos;
  };
  EXPECT_TRUE(Lab::eventually(listed)) << "the server keeps the list for ten seconds";
}

TEST_F(Enrol, LetsHonestDevicesInWhileSlowOnesHoldAThousandConnections) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  std::vector<UniqueFd> held;
  lab_.outside().in([&] {
    for (int i = 0; i < 1000; ++i) {
      UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const sockaddr_in to{
          .sin_family = AF_INET, .sin_port = htons(443), .sin_addr = {inet_addr("5.5.5.1")}, .sin_zero = {}};
      (void)::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
      held.push_back(std::move(socket));
    }
  });
  const Device device(lab_, "device");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(device.enrol(token()), "200");
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
  std::cerr << "an honest device enrolled in " << took.count() << " ms\n";
  const Output same =
      lab_.outside().run(words("curl -sSk --max-time 20 -o /dev/null " + std::string(kEnrolmentBase) + "/join"));
  EXPECT_TRUE(same.ok()) << "behind the attacker's own address: " << same.err;
}

TEST_F(Enrol, GoesOnAfterTheServerOrGatewaydWasKilled) {
  const Device device(lab_, "device");
  lab_.crash_enrolment();
  lab_.start_enrolment();
  lab_.crash();
  EXPECT_EQ(device.curl("/.well-known/est/simpleenroll", {"-H", "Content-Type: application/pkcs10", "-u",
                                                          "token:aaaaaaaaaaaaaaaaaaaaaaaaaa", "-d", "AAAA"}),
            "503");
  lab_.start();
  EXPECT_TRUE(Lab::eventually([&] { return device.curl("/.well-known/gatewayd/challenge") == "200"; }));
  EXPECT_EQ(device.enrol(token()), "200") << device.answer();
}

}  // namespace
}  // namespace gw::test
