// SPDX-License-Identifier: Apache-2.0
// The authority made anew while devices are in the field.
#include <fstream>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/netns/gateway/member.h"

namespace gw::test {
namespace {

constexpr const char* kWeb = "10.1.1.10";
constexpr const char* kRules =
    "rules:\n  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}\n";

class Ca : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) + kRules);
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
    laptop_.must("join " + link() + " --name laptop");
    laptop_.start();
    ASSERT_TRUE(laptop_.reaches(kWeb));
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << laptop_.log() << lab_.log() << lab_.enrolment_log() << '\n';
  }
  std::string link() { return lab_.invite("--group developers").at("link").get<std::string>(); }
  nlohmann::json authority() { return nlohmann::json::parse(lab_.must_gwctl("--json ca show")); }
  std::string issuer_of(const std::string& client) {
    const auto facts = nlohmann::json::parse(lab_.must_gwctl("--json client show " + client));
    const std::string pem = lab_.must_gwctl("cert show --pem " + facts.at("serial").get<std::string>());
    const Output said = run({"openssl", "x509", "-noout", "-issuer"}, std::chrono::seconds(10), {}, pem);
    return said.out;
  }
  /// The server shows the certificate of the new authority, which it looks for every few seconds.
  bool server_has(const std::string& name) {
    return Lab::eventually(
        [&] {
          return lab_.outside()
              .run({"sh", "-c",
                    "echo | openssl s_client -connect 5.5.5.1:443 -showcerts 2>/dev/null | grep -q '" + name + "'"})
              .ok();
        },
        std::chrono::seconds(40));
  }
  std::string file(const std::string& name) const { return lab_.directory() + "/" + name; }

  Lab lab_{GW_BINARY_DIR};
  Member laptop_{lab_, "laptop"};
};

TEST_F(Ca, RotatedTwiceCutsNobodyOff) {
  lab_.must_gwctl("ca rotate --root");
  EXPECT_TRUE(laptop_.reaches(kWeb));
  ASSERT_TRUE(server_has("gatewayd issuing CA 2"));
  laptop_.must("renew");  // it knows the earlier root alone
  EXPECT_NE(issuer_of("laptop").find("issuing CA 2"), std::string::npos) << issuer_of("laptop");
  Member fresh(lab_, "fresh");
  fresh.must("join " + link() + " --name fresh");
  lab_.must_gwctl("ca rotate");
  ASSERT_TRUE(server_has("gatewayd issuing CA 3"));
  laptop_.must("renew --rotate");
  fresh.must("renew");
  EXPECT_TRUE(laptop_.reaches(kWeb));
  EXPECT_NE(issuer_of("fresh").find("issuing CA 3"), std::string::npos) << issuer_of("fresh");

  lab_.must_gwctl("client revoke laptop");
  const std::string lists = lab_.must_gwctl("cert crl");
  size_t count = 0;
  for (size_t at = 0; (at = lists.find("BEGIN X509 CRL", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 3U) << "one for each issuer that devices may still have a certificate of";
}

TEST_F(Ca, TakesAnIntermediateOfARootThatIsKeptElsewhere) {
  const std::string key = file("root.key"), root = file("root.crt"), issuing = file("issuing.crt");
  lab_.must_gwctl("ca request --out " + file("ca.csr"));
  EXPECT_NE(authority().at("state").at("request"), "");
  std::ofstream(file("ext")) << "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
  const auto openssl = [](Arguments arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const Output done = run(arguments);
    ASSERT_TRUE(done.ok()) << done.err;
  };
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", key, "-out",
           root, "-subj", "/O=Contoso/CN=Contoso Root", "-days", "7000", "-addext",
           "keyUsage=critical,keyCertSign,cRLSign"});
  openssl({"x509", "-req", "-in", file("ca.csr"), "-CA", root, "-CAkey", key, "-days", "3650", "-extfile", file("ext"),
           "-out", issuing});
  const Output alone = lab_.gwctl("ca import " + issuing);
  EXPECT_FALSE(alone.ok());
  EXPECT_NE(alone.err.find("it was not signed by the root"), std::string::npos) << alone.err;
  std::ofstream(file("chain")) << read_file(issuing).value() << read_file(root).value();
  lab_.must_gwctl("ca import " + file("chain"));
  EXPECT_EQ(authority().at("certificates").at(0).at("name"), "Contoso Root");
  ASSERT_TRUE(server_has("Contoso Root"));
  laptop_.must("renew");  // by the cross certificate
  EXPECT_TRUE(laptop_.reaches(kWeb));
  Member fresh(lab_, "fresh");
  fresh.must("join " + link() + " --name fresh");
  EXPECT_FALSE(lab_.gwctl("ca rotate").ok()) << "the root's key is not here";
}

TEST_F(Ca, GoesOnWhenTheSignerIsKilled) {
  // gatewayd goes on without it, and the next certificate starts it again.
  const Output pid = run({"pgrep", "-f", "gatewayd-signer --directory " + lab_.state_directory()});
  ASSERT_TRUE(pid.ok());
  ASSERT_TRUE(run({"kill", "-KILL", words(pid.out).front()}).ok());
  EXPECT_TRUE(laptop_.reaches(kWeb));
  lab_.must_gwctl("client add late --group developers --out " + file("late.conf"));
}

}  // namespace
}  // namespace gw::test
