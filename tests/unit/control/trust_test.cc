// SPDX-License-Identifier: Apache-2.0
// Devices that enrol by the certificate that their organisation gave them: who gets what, and who nothing.
#include "gatewayd/base/base64.h"
#include "gatewayd/pki/est.h"
#include "tests/support/organisation.h"
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

std::string text_of(const std::string& path) { return value_of(read_file(path)); }

class TrustTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write_whole(kEnrolling);
    start();
  }

  static const Organisation& contoso() {
    static const TempDir directory("/dev/shm");
    static const Organisation made(directory / "contoso");
    return made;
  }
  static const Organisation::Issued& web() {
    static const auto issued = contoso().issue("web", {.names = "DNS:web.lab.example"});
    return issued;
  }

  Result<control::TrustStatus> trust(const std::vector<std::string>& maps, control::NewTrust more = {}) {
    if (more.authorities_pem.empty()) more.authorities_pem = text_of(contoso().root());
    more.maps = maps;
    return gateway_->add_trust(more, "uid 0");
  }
  Result<std::string> enroll(const Organisation::Issued& shown, const Device& device) {
    const std::string der =
        value_of(pki::request_der(value_of(pki::make_request(device.key, "device", device.wireguard.public_key))));
    const auto challenge = value_of(gateway_->enrolment_facts()).challenge;
    const std::string proof =
        base64(challenge.nonce) + " " + base64(value_of(pki::prove(device.wireguard.secret, challenge, der)));
    return gateway_->enroll_by_certificate(
        {text_of(shown.alone), text_of(contoso().issuing()), base64(der), proof, "5.5.5.200"});
  }
  /// What an outsider is told; the journal's last line is `why`.
  void expect_refused(const Result<std::string>& answer, const std::string& why) {
    ASSERT_FALSE(answer) << "expected: " << why;
    EXPECT_EQ(answer.error().code, EKEYREJECTED) << answer.error().message();
    EXPECT_THAT(answer.error().detail, HasSubstr("this certificate gives no access here"));
    EXPECT_THAT(log_, Contains(HasSubstr(why)));
  }

  Device device_;
};

TEST_F(TrustTest, MakesAClientAsTheMapsSay) {
  const auto status = value_of(trust({"dns:*.LAB.example=developers", "*=ops", "O:fabrikam=developers"}));
  EXPECT_EQ(status.trust.name, "contoso-root");
  EXPECT_THAT(status.link, MatchesRegex("https://vpn.contoso.example/join#ca=[0-9a-f]{64}"));
  const auto certificate = value_of(enroll(web(), device_));
  const auto client = value_of(registry_->client("web"));
  EXPECT_THAT(client.groups, ElementsAre("developers", "ops"));
  EXPECT_EQ(client.not_after, clock_.at + 30 * kDay);
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
  EXPECT_EQ(value_of(gateway_->enrolled_profile(certificate)).client, "web");
  EXPECT_EQ(value_of(registry_->audit(1)).front().who, "trust contoso-root (dns:web.lab.example)");
  EXPECT_THAT(value_of(gateway_->trusts()).at(0).clients, ElementsAre("web"));
}

TEST_F(TrustTest, GivesTheSameCertificateToWhoAsksAgain) {
  ASSERT_TRUE(trust({"*=ops"}));
  const auto first = value_of(enroll(web(), device_));
  EXPECT_EQ(value_of(enroll(web(), device_)), first);
  clock_.at += 31 * kDay;
  const auto later = value_of(enroll(web(), device_));
  EXPECT_NE(later, first) << "that one has ended";
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
}

TEST_F(TrustTest, ANewKeyOfTheSameHolderReplacesTheOld) {
  ASSERT_TRUE(trust({"*=ops"}));
  ASSERT_TRUE(enroll(web(), device_));
  const Device next;
  ASSERT_TRUE(enroll(contoso().issue("web2", {.names = "DNS:WEB.lab.example"}), next)) << "another certificate";
  EXPECT_TRUE(has_peer(next.wireguard.public_key));
  EXPECT_FALSE(has_peer(device_.wireguard.public_key));
  EXPECT_EQ(value_of(registry_->clients()).size(), 1U);
}

TEST_F(TrustTest, KeepsOutWhomTheOperatorHasPutOut) {
  ASSERT_TRUE(trust({"*=ops"}));
  ASSERT_TRUE(enroll(web(), device_));
  control::ClientChange change;
  change.disabled = true;
  ASSERT_TRUE(gateway_->set_client("web", change, "uid 0"));
  expect_refused(enroll(web(), device_), "the client is disabled; asked from 5.5.5.200");
  change.disabled = false;
  ASSERT_TRUE(gateway_->set_client("web", change, "uid 0"));
  ASSERT_TRUE(gateway_->revoke_client("web", "keyCompromise", "uid 0"));
  expect_refused(enroll(web(), Device()), "the client was revoked; asked from");
  EXPECT_FALSE(has_peer(device_.wireguard.public_key));
}

TEST_F(TrustTest, TakesNoNameThatAnotherHas) {
  ASSERT_TRUE(trust({"*=ops"}));
  ASSERT_TRUE(add("web"));
  expect_refused(enroll(web(), device_), "there is a client of that name already, which came otherwise");
  ASSERT_TRUE(gateway_->remove_client("web", "uid 0"));
  ASSERT_TRUE(enroll(web(), device_));
  const auto other = contoso().issue("other", {.names = "DNS:web.other.example"});
  expect_refused(enroll(other, Device()), "dns:web.other.example of trust contoso-root was refused");
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
}

TEST_F(TrustTest, RefusesWhatNoMapFitsOrNoNameComesOf) {
  ASSERT_TRUE(trust({"OU:Engineering=developers"}));
  expect_refused(enroll(web(), device_), "no map fits its certificate");
  const auto named = contoso().issue("umlaut", {.subject = "/O=Contoso/OU=engineering/CN=Ünal"});
  expect_refused(enroll(named, device_), "letters that no host name can have");
  const auto good = contoso().issue("good", {.subject = "/DC=example/OU=engineering/CN=Users/CN=Alice B."});
  EXPECT_TRUE(enroll(good, device_));
  EXPECT_TRUE(registry_->client("alice-b"));
}

TEST_F(TrustTest, RefusesStrangersAndTellsOfThemOnceAMinute) {
  ASSERT_TRUE(trust({"*=ops"}));
  const Organisation fabrikam(directory_ / "fabrikam", "Contoso");
  const auto stranger = fabrikam.issue("web", {.names = "DNS:web.lab.example"});
  expect_refused(enroll(stranger, device_), "asked with certificates that are not trusted, the last from 5.5.5.200");
  const size_t told = log_.size();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(enroll(stranger, device_));
  EXPECT_EQ(log_.size(), told);
  EXPECT_THAT(value_of(registry_->clients()), IsEmpty());
}

TEST_F(TrustTest, RefusesByDateAndPurpose) {
  ASSERT_TRUE(trust({"*=ops"}));
  expect_refused(enroll(contoso().issue("ended", {.names = "DNS:a.example", .to = "20270101000000Z"}), device_),
                 "certificate has expired");
  clock_.at += 60;
  expect_refused(enroll(contoso().issue("early", {.names = "DNS:a.example", .from = "20280101000000Z"}), device_),
                 "certificate is not yet valid");
  clock_.at += 60;
  expect_refused(enroll(contoso().issue("server", {.names = "DNS:a.example", .usage = "serverAuth"}), device_),
                 "purpose");
  clock_.at += 60;
  Organisation::Issued authority = web();
  authority.alone = contoso().issuing();
  expect_refused(enroll(authority, device_), "not trusted, the last from");
}

TEST_F(TrustTest, NeedsAProofOfTheWireGuardKey) {
  ASSERT_TRUE(trust({"*=ops"}));
  const std::string der =
      value_of(pki::request_der(value_of(pki::make_request(device_.key, "x", device_.wireguard.public_key))));
  const auto answer = gateway_->enroll_by_certificate(
      {text_of(web().alone), text_of(contoso().issuing()), base64(der), "AAAA AAAA", "5.5.5.200"});
  EXPECT_EQ(answer.error().code, EINVAL);
  EXPECT_FALSE(registry_->client("web"));
}

TEST_F(TrustTest, RegroupsAsTheMapsSayNowAndLeavesWhatTheOperatorGave) {
  ASSERT_TRUE(trust({"*=ops"}));
  const auto first = value_of(enroll(web(), device_));
  control::ClientChange change;
  change.add_groups = {"developers"};
  ASSERT_TRUE(gateway_->set_client("web", change, "uid 0"));
  EXPECT_EQ(value_of(enroll(web(), device_)), first);
  EXPECT_THAT(value_of(registry_->client("web")).groups, ElementsAre("developers", "ops"));
  ASSERT_TRUE(trust({"O:fabrikam=ops", "dns:*=developers"}, {.name = "contoso-root", .replace = true}));
  EXPECT_EQ(value_of(enroll(web(), device_)), first);
  EXPECT_THAT(value_of(registry_->client("web")).groups, ElementsAre("developers"));
}

TEST_F(TrustTest, RemovedLetsNobodyInAndLeavesWhoIsIn) {
  ASSERT_TRUE(trust({"*=ops"}));
  const auto certificate = value_of(enroll(web(), device_));
  EXPECT_THAT(value_of(gateway_->remove_trust("contoso-root", false, "uid 0")), ElementsAre("web"));
  expect_refused(enroll(web(), Device()), "no organisation is trusted");
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
  EXPECT_TRUE(gateway_->enrolled_profile(certificate));
  EXPECT_EQ(gateway_->remove_trust("contoso-root", false, "uid 0").error().code, ENOENT);
}

TEST_F(TrustTest, RemovedWithItsClientsTakesTheirAccess) {
  ASSERT_TRUE(trust({"*=ops"}));
  ASSERT_TRUE(enroll(web(), device_));
  EXPECT_THAT(value_of(gateway_->remove_trust("contoso-root", true, "uid 0")), ElementsAre("web"));
  EXPECT_FALSE(has_peer(device_.wireguard.public_key));
  EXPECT_EQ(value_of(registry_->certificate(value_of(registry_->client("web")).serial)).reason, "privilegeWithdrawn");
}

TEST_F(TrustTest, RefusesWhoIsOnTheRevocationListThoughItBeLate) {
  const Organisation own(directory_ / "own");
  const std::string both = text_of(own.root()) + text_of(own.issuing());
  const auto good = own.issue("good", {.names = "DNS:good.example"});
  const auto bad = own.issue("bad", {.names = "DNS:bad.example"});
  own.revoke("bad");
  const std::string list = own.crl(1);  // by the machine's clock, long before the test's
  EXPECT_THAT(refusal(trust({"*=ops"}, {.authorities_pem = text_of(own.root()), .crl = list})),
              HasSubstr("its authority is not among the trusted ones"));
  ASSERT_TRUE(trust({"*=ops"}, {.name = "own", .authorities_pem = both, .crl = list}));
  expect_refused(enroll(bad, Device()), "certificate revoked");
  EXPECT_TRUE(enroll(good, device_)) << "a list that is late locks nobody out";
  EXPECT_THAT(value_of(gateway_->status()).warnings,
              Contains(AllOf(HasSubstr("the revocation list of trust own was good until"),
                             HasSubstr("gwctl ca trust crl own FILE"))));
  EXPECT_EQ(gateway_->set_trust_crl("own", contoso().crl(1), "uid 0").error().code, EKEYREJECTED);
  own.revoke("good");
  ASSERT_TRUE(gateway_->set_trust_crl("own", own.crl(1000000), "uid 0"));
  expect_refused(enroll(good, device_), "certificate revoked");
  EXPECT_EQ(gateway_->set_trust_crl("none", list, "uid 0").error().code, ENOENT);
}

TEST_F(TrustTest, WarnsBeforeARootEnds) {
  ASSERT_TRUE(trust({"*=ops"}));
  EXPECT_THAT(value_of(gateway_->status()).warnings, Not(Contains(HasSubstr("of trust contoso-root"))));
  clock_.at = 2'366'841'600 - 6 * kDay;  // 2045-01-01
  EXPECT_THAT(value_of(gateway_->status()).warnings,
              Contains(AllOf(HasSubstr("of trust contoso-root ends in 6 days"), HasSubstr("--replace"))));
}

TEST_F(TrustTest, RefusesTrustsThatMakeNoSense) {
  const std::string root = text_of(contoso().root());
  EXPECT_THAT(refusal(trust({})), HasSubstr("give at least one map"));
  EXPECT_THAT(refusal(trust({"*=nosuch"})), HasSubstr("no group has this name"));
  EXPECT_THAT(refusal(trust({"*=ops", "*=developers"})), HasSubstr("twice"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.authorities_pem = text_of(contoso().issuing())})),
              HasSubstr("give that root"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.authorities_pem = text_of(web().alone)})), HasSubstr("it is no authority"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.authorities_pem = "x"})), HasSubstr("no certificate in PEM"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.authorities_pem = root + root})), HasSubstr("twice"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.name = "A B"})), HasSubstr("will not do as its name"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.replace = true})), HasSubstr("there is none of this name"));
  const auto own = value_of(gateway_->authority());
  EXPECT_THAT(refusal(trust({"*=ops"}, {.authorities_pem = own.parts.front().certificate.pem})),
              HasSubstr("this gateway's own authority"));
  ASSERT_TRUE(trust({"*=ops"}));
  EXPECT_EQ(trust({"*=ops"}).error().code, EEXIST);
  EXPECT_THAT(refusal(trust({"*=ops"}, {.name = "again"})), HasSubstr("trust contoso-root has the same root"));
  write(kUsual);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  EXPECT_THAT(refusal(trust({"*=ops"}, {.name = "again"})), HasSubstr("write gateway.public.enroll_port"));
}

TEST_F(TrustTest, SurvivesARestart) {
  ASSERT_TRUE(trust({"*=ops"}));
  const auto first = value_of(enroll(web(), device_));
  restart();
  EXPECT_EQ(value_of(enroll(web(), device_)), first);
}

}  // namespace
}  // namespace gw::test
