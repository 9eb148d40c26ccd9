// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

using testing::HasSubstr;

class CertificateTest : public AuthorityTest {
 protected:
  /// A self-signed certificate that openssl(1) makes with these arguments on top.
  [[nodiscard]] std::string foreign(const std::vector<std::string>& more) const {
    test::Arguments argv = {"openssl",
                            "req",
                            "-x509",
                            "-newkey",
                            "ec",
                            "-pkeyopt",
                            "ec_paramgen_curve:P-256",
                            "-nodes",
                            "-keyout",
                            directory_ / "foreign.key",
                            "-subj",
                            "/O=x/CN=other",
                            "-days",
                            "2"};
    argv.insert(argv.end(), more.begin(), more.end());
    const auto made = test::run(argv);
    EXPECT_TRUE(made.ok()) << made.err;
    return made.out;
  }
};

TEST_F(CertificateTest, ParsedAgainHasTheSameFacts) {
  const Certificate issued = issue(open());
  const Certificate parsed = value_of(parse_certificate("some text before\n" + issued.pem));
  EXPECT_EQ(parsed.pem, issued.pem);
  EXPECT_EQ(parsed.serial, issued.serial);
  EXPECT_EQ(parsed.sha256, issued.sha256);
  EXPECT_EQ(parsed.wireguard, wireguard_);
  EXPECT_EQ(parsed.not_after, issued.not_after);
}

TEST_F(CertificateTest, OfOthersIsReadWithoutTheFactsItDoesNotHave) {
  const Certificate parsed = value_of(parse_certificate(foreign({"-set_serial", "0x0A01"})));
  EXPECT_EQ(parsed.name, "other");
  EXPECT_EQ(parsed.subject, "CN=other,O=x");
  EXPECT_EQ(parsed.serial, "0a01");
  EXPECT_EQ(parsed.device_uuid, "");
  EXPECT_EQ(parsed.wireguard, std::nullopt);
  EXPECT_TRUE(parsed.is_ca);
}

TEST_F(CertificateTest, WithADamagedWireGuardExtensionIsRefused) {
  const std::string oid = kWireGuardKeyOid;
  EXPECT_THAT(refusal(parse_certificate(foreign({"-addext", oid + "=DER:0420ff"}))),
              HasSubstr("does not hold 32 bytes"));
  EXPECT_THAT(refusal(parse_certificate(foreign({"-addext", oid + "=DER:0500"}))), HasSubstr("does not hold 32 bytes"));
}

TEST_F(CertificateTest, WithANegativeSerialNumberIsRefused) {
  EXPECT_THAT(refusal(parse_certificate(foreign({"-set_serial", "-5"}))), HasSubstr("below zero"));
}

TEST_F(CertificateTest, WithAnUrnThatIsNoUuidHasNoDevice) {
  EXPECT_EQ(
      value_of(parse_certificate(foreign({"-addext", "subjectAltName=URI:urn:uuid:12,URI:http://x/"}))).device_uuid,
      "");
  EXPECT_EQ(value_of(parse_certificate(foreign({"-addext", "subjectAltName=DNS:x,URI:urn:uuid:" + std::string(kUuid)})))
                .device_uuid,
            kUuid);
}

TEST_F(CertificateTest, ComesAlone) {
  const Authority authority = open();
  EXPECT_THAT(refusal(parse_certificate(authority.chain_pem())), HasSubstr("there are several"));
}

TEST_F(CertificateTest, ThatIsHugeOrNothingOrCutShortIsRefused) {
  EXPECT_THAT(refusal(parse_certificate("")), HasSubstr("not a certificate in PEM"));
  EXPECT_THAT(refusal(parse_certificate(std::string(100 << 20, '-'))), HasSubstr("longer than 16 KiB"));
  const std::string good = issue(open()).pem;
  const size_t end = good.find("-----END") + std::string("-----END CERTIFICATE-----").size();
  for (size_t size = 0; size < end; ++size) ASSERT_FALSE(parse_certificate(good.substr(0, size))) << size;
}

}  // namespace
}  // namespace gw::pki
