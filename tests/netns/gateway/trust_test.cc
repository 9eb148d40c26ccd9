// SPDX-License-Identifier: Apache-2.0
// Devices that enrol by the certificate of their organisation, whose authorities openssl(1) made: curl as a client that
// knows nothing of this project, and gwconnect.
#include "tests/netns/gateway/device.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/netns/gateway/member.h"
#include "tests/support/organisation.h"

namespace gw::test {
namespace {

using nlohmann::json;

constexpr const char* kWeb = "10.1.1.10";
constexpr const char* kRules = R"(rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
)";

class Trust : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) + kRules);
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << lab_.log() << lab_.enrolment_log() << std::endl;
  }
  void trust(const std::string& more) {
    lab_.must_gwctl("ca trust add " + contoso_.root() + " --name contoso " + more);
  }
  [[nodiscard]] json client(const std::string& name) {
    return json::parse(lab_.must_gwctl("--json client show " + name));
  }
  [[nodiscard]] bool told(const std::string& what) const { return lab_.log().find(what) != std::string::npos; }

  Lab lab_{GW_BINARY_DIR};
  Organisation contoso_{lab_.directory() + "/contoso"};
};

TEST_F(Trust, LetsCurlInByACertificateAndNoOther) {
  trust("--map dns:*.lab.example=developers --map O:Contoso=contractors");
  const Device device(lab_, "web");
  const auto shown = contoso_.issue("web", {.names = "DNS:web.lab.example"});
  ASSERT_EQ(device.enrol(shown.certificate, shown.key), "200") << device.answer();
  const std::string first = device.answer();
  EXPECT_EQ(client("web").at("groups"), (json{"contractors", "developers"}));
  EXPECT_EQ(device.enrol(shown.certificate, shown.key), "200");
  EXPECT_EQ(device.answer(), first) << "asked again, the same";
  device.keep();
  EXPECT_EQ(device.renew(), "200") << "by the gateway's own certificate";
  EXPECT_EQ(device.enrol(shown.alone, shown.key), "403") << "nothing leads to the root";

  const Device other(lab_, "other");
  const Organisation fabrikam(lab_.directory() + "/fabrikam", "Contoso");
  const auto stranger = fabrikam.issue("a", {.names = "DNS:a.lab.example"});
  EXPECT_EQ(other.enrol(stranger.certificate, stranger.key), "403");
  const std::string refusal = other.answer();
  for (const Organisation::Wanted& wanted :
       {Organisation::Wanted{.names = "DNS:b.lab.example", .to = "20210101000000Z"},
        {.names = "DNS:c.lab.example", .usage = "serverAuth"},
        {.subject = "/O=Fabrikam/CN=d"}}) {
    const auto bad = contoso_.issue("bad", wanted);
    EXPECT_EQ(other.enrol(bad.certificate, bad.key), "403") << wanted.names;
    EXPECT_EQ(other.answer(), refusal) << "the same to an outsider";
  }
  EXPECT_TRUE(told("no map fits its certificate"));
  EXPECT_EQ(json::parse(lab_.must_gwctl("--json client list")).size(), 1U);
}

TEST_F(Trust, LetsGwconnectInFromTheLinkToTheRemoval) {
  trust("--map email:*@contoso.example=contractors");
  const std::string link = json::parse(lab_.must_gwctl("--json ca trust list")).at(0).at("link").get<std::string>();
  const Organisation::Wanted alice{.names = "email:alice@contoso.example"};
  const auto shown = contoso_.issue("alice", alice);
  const Member laptop(lab_, "laptop");
  EXPECT_FALSE(laptop.gwconnect("join " + link).ok()) << "the link has no token";
  laptop.must("join " + link + " --certificate " + shown.certificate + " --key " + shown.key);
  EXPECT_EQ(laptop.status().at(0).at("name"), "alice");
  EXPECT_FALSE(laptop.host().run(words("ping -c1 -W1 " + std::string(kWeb))).ok()) << "contractors may not";

  trust("--map email:*@contoso.example=developers --replace");
  laptop.must("leave");
  laptop.must("join " + link + " --certificate " + shown.certificate + " --key " + shown.key);
  EXPECT_EQ(client("alice").at("groups"), json{"developers"}) << "as the maps say now";
  EXPECT_TRUE(laptop.reaches(kWeb)) << "under a new key";

  EXPECT_NE(lab_.must_gwctl("ca trust remove contoso").find("alice"), std::string::npos);
  laptop.must("renew");
  EXPECT_TRUE(laptop.reaches(kWeb)) << "who is in stays";
  const Member second(lab_, "second");
  const Output refused =
      second.gwconnect("join " + link + " --certificate " + shown.certificate + " --key " + shown.key);
  EXPECT_NE(refused.err.find("its organisation is not trusted there"), std::string::npos) << refused.err;
}

TEST_F(Trust, TakesRsaAndAKeyBehindAPassphrase) {
  const Organisation old(lab_.directory() + "/old", "Old", {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"});
  lab_.must_gwctl("ca trust add " + old.root() + " --map *=developers");
  const auto shown = old.issue("kiosk", {.names = "DNS:kiosk.old.example"});
  lab_.outside().must("openssl pkcs8 -topk8 -in " + shown.key + " -out " + shown.key +
                      ".enc -passout pass:open-sesame");
  must(write_file_atomically(lab_.directory() + "/passphrase", "open-sesame\n", 0600));
  const std::string link = json::parse(lab_.must_gwctl("--json ca trust list")).at(0).at("link").get<std::string>();
  const Member kiosk(lab_, "kiosk");
  const std::string join = "join " + link + " --certificate " + shown.certificate + " --key " + shown.key + ".enc";
  const Output wrong = kiosk.gwconnect(join + " --passphrase-file " + shown.alone);
  EXPECT_NE(wrong.err.find("the passphrase does not open it"), std::string::npos) << wrong.err;
  kiosk.must(join + " --passphrase-file " + lab_.directory() + "/passphrase");
  EXPECT_TRUE(kiosk.reaches(kWeb));
}

}  // namespace
}  // namespace gw::test
