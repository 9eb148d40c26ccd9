// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CrlTest : public AuthorityTest {
 protected:
  [[nodiscard]] std::string path_of(const std::vector<RevokedCertificate>& revoked) const {
    return file("ca.crl", value_of(authority_.make_crl(revoked, 7, kNow, kNow + 86400)));
  }

  Authority authority_ = open();
};

TEST_F(CrlTest, IsSignedByTheIssuingAuthority) {
  const auto shown = test::run({"openssl", "crl", "-inform", "DER", "-in", path_of({}), "-noout", "-text", "-CAfile",
                                file("chain.crt", authority_.chain_pem())});
  EXPECT_THAT(shown.err, HasSubstr("verify OK"));
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("Version 2"), HasSubstr("Issuer: O = contoso, CN = gatewayd issuing CA"),
                    HasSubstr("X509v3 CRL Number: \n                7\n"), HasSubstr("X509v3 Authority Key Identifier"),
                    HasSubstr("Last Update: Jan 15 08:00:00 2027 GMT"),
                    HasSubstr("Next Update: Jan 16 08:00:00 2027 GMT"), HasSubstr("No Revoked Certificates")));
}

TEST_F(CrlTest, TellsWhenAndWhyEachCertificateWasRevoked) {
  const auto shown = test::run({"openssl", "crl", "-inform", "DER", "-noout", "-text", "-in",
                                path_of({{"00aa", kNow - 60, "keyCompromise"}, {"bb", kNow - 30, "unspecified"}})});
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("Serial Number: AA\n        Revocation Date: Jan 15 07:59:00 2027 GMT"),
                    HasSubstr("Key Compromise"), HasSubstr("Serial Number: BB\n"), Not(HasSubstr("Unspecified"))));
}

TEST_F(CrlTest, MakesOpensslRefuseTheRevokedAndNoOther) {
  const Certificate revoked = issue(authority_);
  const Certificate other = issue(authority_);
  const std::string der = path_of({{revoked.serial, kNow, "superseded"}});
  const std::string crl = directory_ / "ca.crl.pem";
  ASSERT_TRUE(test::run({"openssl", "crl", "-inform", "DER", "-in", der, "-out", crl}).ok());
  const auto verify = [&](const std::string& pem) {
    return test::run({"openssl", "verify", "-x509_strict", "-crl_check", "-attime", std::to_string(kNow + 1),
                      "-CRLfile", crl, "-CAfile", file("chain.crt", authority_.chain_pem()), file("leaf.crt", pem)});
  };
  EXPECT_THAT(verify(revoked.pem).err, HasSubstr("certificate revoked"));
  const auto good = verify(other.pem);
  EXPECT_TRUE(good.ok()) << good.err;
}

TEST_F(CrlTest, RefusesWhatIsNoSerialNumberOrReason) {
  const auto attempt = [&](const std::string& serial, const std::string& reason) {
    return refusal(authority_.make_crl({{serial, kNow, reason}}, 1, kNow, kNow + 1));
  };
  for (const char* bad : {"", "xyz", "12 34", "-1", "0x12"})
    EXPECT_THAT(attempt(bad, ""), HasSubstr("no serial number in hex")) << bad;
  EXPECT_THAT(attempt(std::string(42, 'a'), ""), HasSubstr("no serial number in hex"));
  EXPECT_THAT(attempt("aa", "stolen"), HasSubstr("'stolen' is none of unspecified, keyCompromise"));
  EXPECT_EQ(attempt("aa", ""), "accepted");
}

TEST_F(CrlTest, NeedsANextUpdateAfterNow) {
  EXPECT_THAT(refusal(authority_.make_crl({}, 1, kNow, kNow)), HasSubstr("next update"));
}

}  // namespace
}  // namespace gw::pki
