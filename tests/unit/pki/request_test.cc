// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kGoodKey =
    "FORMAT:HEX,OCTETSTRING:c53201039adba14be71f886da1d8dbe9bebdec0b14c4b511b53400789999a9f0";

class RequestTest : public AuthorityTest {
 protected:
  /// A request that openssl(1) makes with these arguments on top.
  [[nodiscard]] std::string foreign(const std::vector<std::string>& more, const std::string& algorithm = "EC",
                                    const std::string& option = "ec_paramgen_curve:P-256") const {
    const std::string key = directory_ / "foreign.key";
    const auto made = test::run({"openssl", "genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", key});
    test::Arguments argv = {"openssl", "req", "-new", "-key", key, "-subj", "/CN=alice"};
    argv.insert(argv.end(), more.begin(), more.end());
    const auto request = test::run(argv);
    EXPECT_TRUE(made.ok() && request.ok()) << made.err << request.err;
    return request.out;
  }
  static std::vector<std::string> with_key(const std::string& value) {
    return {"-addext", std::string(kWireGuardKeyOid) + "=ASN1:" + value};
  }
};

TEST_F(RequestTest, CarriesNameAndKeys) {
  const auto request = value_of(parse_request(value_of(make_request(key_, "alice", wireguard_))));
  EXPECT_EQ(request.name, "alice");
  EXPECT_EQ(request.wireguard, wireguard_);
  EXPECT_THAT(request.public_key_pem, HasSubstr("-----BEGIN PUBLIC KEY-----"));
}

TEST_F(RequestTest, PassesOpensslReqVerify) {
  const std::string path = file("alice.csr", value_of(make_request(key_, "alice", wireguard_)));
  const auto checked = test::run({"openssl", "req", "-in", path, "-verify", "-noout", "-text"});
  EXPECT_TRUE(checked.ok()) << checked.err;
  EXPECT_THAT(checked.err + checked.out, HasSubstr("verify OK"));
  EXPECT_THAT(checked.out,
              AllOf(HasSubstr("Subject: CN = alice"), HasSubstr(kWireGuardKeyOid), HasSubstr("NIST CURVE: P-256")));
}

TEST_F(RequestTest, OfOpensslIsReadTheSame) {
  const auto request = value_of(parse_request(foreign(with_key(kGoodKey))));
  EXPECT_EQ(request.name, "alice");
  EXPECT_EQ(request.wireguard.str(), "xTIBA5rboUvnH4htodjb6b697AsUxLURtTQAeJmZqfA=");
}

TEST_F(RequestTest, WithANameThatFitsNoCertificateIsNotMade) {
  EXPECT_THAT(refusal(make_request(key_, std::string(65, 'a'), wireguard_)), HasSubstr("does not fit a certificate"));
  EXPECT_THAT(refusal(make_request(key_, "\xff\xfe", wireguard_)), HasSubstr("does not fit a certificate"));
}

TEST_F(RequestTest, ThatWasChangedAfterSigningIsRefused) {
  const std::string good = value_of(make_request(key_, "alice", wireguard_));
  const std::string der = directory_ / "alice.der";
  ASSERT_TRUE(test::run({"openssl", "req", "-outform", "DER", "-out", der}, std::chrono::seconds(30), {}, good).ok());
  std::string bytes = value_of(read_file(der));
  bytes.replace(bytes.find("alice"), 5, "malik");
  const auto pem = test::run({"openssl", "req", "-inform", "DER", "-in", file("changed.der", bytes)});
  EXPECT_THAT(refusal(parse_request(pem.out)), HasSubstr("its signature does not fit"));
}

TEST_F(RequestTest, WithAnotherKindOfPublicKeyIsRefused) {
  EXPECT_THAT(refusal(parse_request(foreign(with_key(kGoodKey), "EC", "ec_paramgen_curve:P-384"))),
              HasSubstr("not a P-256 key"));
  EXPECT_THAT(refusal(parse_request(foreign(with_key(kGoodKey), "RSA", "rsa_keygen_bits:2048"))),
              HasSubstr("not a P-256 key"));
}

TEST_F(RequestTest, WithoutAWireGuardKeyIsRefused) {
  EXPECT_THAT(refusal(parse_request(foreign({}))), HasSubstr("holds no WireGuard key"));
}

TEST_F(RequestTest, WithAMalformedWireGuardKeyIsRefused) {
  EXPECT_THAT(refusal(parse_request(foreign(with_key("FORMAT:HEX,OCTETSTRING:0102")))),
              HasSubstr("does not hold 32 bytes"));
  EXPECT_THAT(refusal(parse_request(foreign(with_key("UTF8:12345678901234567890123456789012")))),
              HasSubstr("does not hold 32 bytes"));
}

TEST_F(RequestTest, WithAPointOfLowOrderIsRefused) {
  const std::string zero(64, '0');
  EXPECT_THAT(refusal(parse_request(foreign(with_key("FORMAT:HEX,OCTETSTRING:" + zero)))), HasSubstr("low order"));
}

TEST_F(RequestTest, ThatAsksForMoreThanTheKeyIsRefusedAndTheExtensionNamed) {
  auto arguments = with_key(kGoodKey);
  arguments.insert(arguments.end(), {"-addext", "basicConstraints=CA:TRUE"});
  EXPECT_THAT(refusal(parse_request(foreign(arguments))), HasSubstr("asks for the extension X509v3 Basic Constraints"));
  EXPECT_THAT(refusal(parse_request(foreign({"-addext", "subjectAltName=DNS:router"}))),
              HasSubstr("X509v3 Subject Alternative Name"));
}

TEST_F(RequestTest, WithTwoNamesOrControlCharactersIsRefused) {
  auto arguments = with_key(kGoodKey);
  arguments.insert(arguments.end(), {"-subj", "/CN=alice/CN=root"});
  EXPECT_THAT(refusal(parse_request(foreign(arguments))), HasSubstr("common name: there are several"));
  EXPECT_THAT(refusal(parse_request(value_of(make_request(key_, "ali\nce", wireguard_)))),
              HasSubstr("control characters"));
  EXPECT_THAT(refusal(parse_request(value_of(make_request(key_, std::string("ali\0ce", 6), wireguard_)))),
              HasSubstr("control characters"));
}

TEST_F(RequestTest, CutShortAnywhereIsRefused) {
  const std::string good = value_of(make_request(key_, "alice", wireguard_));
  const size_t end = good.find("-----END") + std::string("-----END CERTIFICATE REQUEST-----").size();
  for (size_t size = 0; size < end; ++size) {
    const auto request = parse_request(good.substr(0, size));
    ASSERT_FALSE(request) << size;
    EXPECT_EQ(request.error().code, EINVAL);
  }
}

TEST_F(RequestTest, ThatIsHugeOrNothingIsRefused) {
  EXPECT_THAT(refusal(parse_request("")), HasSubstr("not a PKCS#10 request in PEM"));
  EXPECT_THAT(refusal(parse_request(std::string(100 << 20, 'A'))), HasSubstr("longer than 16 KiB"));
}

}  // namespace
}  // namespace gw::pki
