// SPDX-License-Identifier: Apache-2.0
#include <cctype>
#include <set>

#include "gatewayd/base/clock.h"
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class IssueTest : public AuthorityTest {
 protected:
  [[nodiscard]] test::Output verify_with_openssl(const std::string& certificate, UnixSeconds at,
                                                 const std::string& purpose = "sslclient") const {
    return test::run({"openssl", "verify", "-x509_strict", "-purpose", purpose, "-attime", std::to_string(at),
                      "-CAfile", file("root.crt", authority_.root().pem), "-untrusted",
                      file("issuing.crt", authority_.issuing().pem), file("leaf.crt", certificate)});
  }
  /// By GnuTLS, which shares no code with OpenSSL, at this moment. `chain` is the certificate and its authorities but
  /// the root.
  [[nodiscard]] test::Output verify_with_certtool(const std::string& chain, const Authority& authority,
                                                  const std::string& purpose) const {
    return test::run({"certtool", "--verify", "--verify-purpose", purpose, "--load-ca-certificate",
                      file("root.crt", authority.root().pem), "--infile", file("chain.pem", chain)});
  }
  [[nodiscard]] std::string text(const std::string& certificate) const {
    return test::run({"openssl", "x509", "-noout", "-text", "-in", file("text.crt", certificate)}).out;
  }

  Authority authority_ = open();
};

TEST_F(IssueTest, MakesACertificateThatOpensslVerifiesStrictly) {
  const Certificate certificate = issue(authority_);
  const auto verified = verify_with_openssl(certificate.pem, kNow);
  EXPECT_TRUE(verified.ok()) << verified.out << verified.err;
  EXPECT_TRUE(authority_.verify(certificate.pem, kNow));
}

TEST_F(IssueTest, MakesACertificateThatCerttoolVerifies) {
  constexpr const char* kClient = "1.3.6.1.5.5.7.3.2";
  constexpr const char* kServer = "1.3.6.1.5.5.7.3.1";
  const UnixSeconds now = SystemClock().now();
  const Authority today = value_of(Authority::open(directory_ / "today", "contoso", now));
  const std::string client =
      value_of(today.issue(request(), "alice", kUuid, now, now + kYear)).pem + today.issuing().pem;
  const auto verified = verify_with_certtool(client, today, kClient);
  EXPECT_TRUE(verified.ok()) << verified.out << verified.err;
  EXPECT_FALSE(verify_with_certtool(client, today, kServer).ok());
  const std::string server =
      value_of(today.issue_server(request().public_key_pem, {"vpn.contoso.example"}, now, now + kYear)).pem +
      today.issuing().pem;
  EXPECT_TRUE(verify_with_certtool(server, today, kServer).ok());
  EXPECT_FALSE(verify_with_certtool(server, today, kClient).ok());
  const Authority other = value_of(Authority::open(directory_ / "other", "contoso", now));
  EXPECT_FALSE(verify_with_certtool(client, other, kClient).ok());
}

TEST_F(IssueTest, MakesACertificateForClientsOnly) {
  const Certificate certificate = issue(authority_);
  EXPECT_FALSE(verify_with_openssl(certificate.pem, kNow, "sslserver").ok());
  EXPECT_FALSE(verify_with_openssl(certificate.pem, kNow, "smimesign").ok());
}

TEST_F(IssueTest, KeepsTheProfile) {
  const std::string shown = text(issue(authority_).pem);
  EXPECT_THAT(shown, AllOf(HasSubstr("Version: 3 (0x2)"), HasSubstr("Subject: CN = alice\n"),
                           HasSubstr("ecdsa-with-SHA256"), HasSubstr("Issuer: O = contoso, CN = gatewayd issuing CA")));
  EXPECT_THAT(shown, AllOf(HasSubstr("X509v3 Basic Constraints: critical\n                CA:FALSE\n"),
                           HasSubstr("X509v3 Key Usage: critical\n                Digital Signature\n"),
                           HasSubstr("X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n"),
                           HasSubstr("X509v3 Subject Key Identifier:"), HasSubstr("X509v3 Authority Key Identifier:"),
                           HasSubstr("URI:urn:uuid:" + std::string(kUuid) + ", DNS:alice\n"),
                           HasSubstr(std::string(kWireGuardKeyOid) + ": \n")));
}

TEST_F(IssueTest, ReturnsTheFactsOfTheCertificate) {
  const Certificate certificate = issue(authority_);
  EXPECT_EQ(certificate.name, "alice");
  EXPECT_EQ(certificate.subject, "CN=alice");
  EXPECT_EQ(certificate.issuer, authority_.issuing().subject);
  EXPECT_EQ(certificate.device_uuid, kUuid);
  EXPECT_EQ(certificate.wireguard, wireguard_);
  EXPECT_EQ(certificate.not_before, kNow - 300);
  EXPECT_EQ(certificate.not_after, kNow + kYear);
  EXPECT_FALSE(certificate.is_ca);
  const auto shown = test::run(
      {"openssl", "x509", "-noout", "-serial", "-fingerprint", "-sha256", "-in", file("c.crt", certificate.pem)});
  std::string plain;
  for (const char c : shown.out) {
    if (c != ':') plain += static_cast<char>(std::tolower(c));
  }
  EXPECT_THAT(plain, AllOf(HasSubstr("serial=" + certificate.serial + "\n"),
                           HasSubstr("fingerprint=" + certificate.sha256 + "\n")));
}

TEST_F(IssueTest, RenewsForTheSameKeysWithoutTheClient) {
  const Authority authority = open();
  const Certificate first = issue(authority);
  const Request renewal = value_of(renewal_request(first.pem));
  EXPECT_EQ(renewal.name, "alice");
  EXPECT_EQ(renewal.wireguard, wireguard_);
  EXPECT_EQ(renewal.public_key_pem, request().public_key_pem);
  const Certificate second = value_of(authority.issue(renewal, "alice", kUuid, kNow, kNow + 2 * kYear));
  EXPECT_EQ(second.wireguard, wireguard_);
  EXPECT_NE(second.serial, first.serial);
  EXPECT_THAT(refusal(renewal_request(authority.root().pem)), testing::HasSubstr("no WireGuard key"));
}

TEST_F(IssueTest, DrawsASerialNumberOf16BytesEachTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string serial = issue(authority_).serial;
    EXPECT_EQ(serial.size(), 32U);
    EXPECT_TRUE(seen.insert(serial).second);
  }
}

TEST_F(IssueTest, HoldsPast2049) {
  const UnixSeconds late = authority_.root().not_before + 1;
  EXPECT_EQ(authority_.root().not_after - late, 20 * kYear + 5 * 86400 + 299);
  const Authority later = value_of(Authority::open(directory_ / "later", "contoso", 2'600'000'000));  // 2052
  const auto certificate = value_of(later.issue(request(), "alice", kUuid, 2'600'000'000, 2'600'000'001));
  EXPECT_EQ(certificate.not_after, 2'600'000'001);
  EXPECT_TRUE(later.verify(certificate.pem, 2'600'000'001));
}

TEST_F(IssueTest, RefusesWhatWouldBecomeAnotherName) {
  const auto attempt = [&](const std::string& name, const std::string& uuid) {
    return refusal(authority_.issue(request(), name, uuid, kNow, kNow + 1));
  };
  EXPECT_THAT(attempt("alice,DNS:root", kUuid), HasSubstr("the name is no host name"));
  EXPECT_THAT(attempt("", kUuid), HasSubstr("the name is no host name"));
  EXPECT_THAT(attempt(std::string(64, 'a'), kUuid), HasSubstr("the name is no host name"));
  EXPECT_THAT(attempt("alice", std::string(kUuid) + ",DNS:root"), HasSubstr("is no UUID"));
  EXPECT_EQ(attempt(std::string(63, 'a'), kUuid), "accepted");
}

TEST_F(IssueTest, RefusesALowOrderKeyAndAForeignKindOfKey) {
  Request low = request();
  low.wireguard = PublicKey{};
  EXPECT_THAT(refusal(authority_.issue(low, "alice", kUuid, kNow, kNow + 1)), HasSubstr("low order"));
  Request other = request();
  other.public_key_pem = "nonsense";
  EXPECT_THAT(refusal(authority_.issue(other, "alice", kUuid, kNow, kNow + 1)), HasSubstr("is not PEM"));
  other.public_key_pem = test::run({"sh", "-c", "openssl genpkey -algorithm X25519 | openssl pkey -pubout"}).out;
  EXPECT_THAT(refusal(authority_.issue(other, "alice", kUuid, kNow, kNow + 1)), HasSubstr("not P-256"));
}

TEST_F(IssueTest, RefusesATermThatTheIssuerDoesNotCover) {
  const UnixSeconds end = authority_.issuing().not_after;
  EXPECT_THAT(refusal(authority_.issue(request(), "alice", kUuid, kNow, kNow)), HasSubstr("ended before it began"));
  EXPECT_THAT(refusal(authority_.issue(request(), "alice", kUuid, kNow, end + 1)),
              HasSubstr("would outlive the issuing certificate"));
  EXPECT_EQ(refusal(authority_.issue(request(), "alice", kUuid, kNow, end)), "accepted");
  const auto too_late = authority_.issue(request(), "alice", kUuid, end + 1, end + 2);
  ASSERT_FALSE(too_late);
  EXPECT_EQ(too_late.error().code, EKEYEXPIRED);
}

TEST_F(IssueTest, VerifiesToTheLastSecondAndNoFurther) {
  const Certificate certificate = issue(authority_, kNow + 10);
  EXPECT_TRUE(authority_.verify(certificate.pem, kNow - 300));
  EXPECT_TRUE(authority_.verify(certificate.pem, kNow + 10));
  const auto ended = authority_.verify(certificate.pem, kNow + 11);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, EKEYEXPIRED);
  EXPECT_THAT(ended.error().detail, HasSubstr("it ended 2027-01-15 08:00:10 UTC"));
  const auto early = authority_.verify(certificate.pem, kNow - 301);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, EKEYEXPIRED);
  EXPECT_THAT(early.error().detail, HasSubstr("not valid before 2027-01-15 07:55:00 UTC"));
}

TEST_F(IssueTest, RefusesACertificateOfAnotherAuthorityOfTheSameName) {
  const Certificate foreign = issue(open("other"));
  const auto verified = authority_.verify(foreign.pem, kNow);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, EKEYREJECTED);
  EXPECT_THAT(verified.error().detail, HasSubstr("issued by 'CN=gatewayd issuing CA,O=contoso'"));
}

TEST_F(IssueTest, RefusesACertificateThatWasChangedAfterSigning) {
  const std::string path = directory_ / "alice.der";
  ASSERT_TRUE(test::run({"openssl", "x509", "-outform", "DER", "-out", path}, std::chrono::seconds(30), {},
                        issue(authority_).pem)
                  .ok());
  std::string der = value_of(read_file(path));
  der.replace(der.find("alice"), 5, "malik");
  const auto changed = test::run({"openssl", "x509", "-inform", "DER", "-in", file("changed.der", der)});
  const auto verified = authority_.verify(changed.out, kNow);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, EKEYREJECTED);
  EXPECT_THAT(verified.error().detail, HasSubstr("certificate signature failure"));
}

TEST_F(IssueTest, RefusesTheAuthoritiesOwnCertificatesAndServersAsClients) {
  EXPECT_EQ(authority_.verify(authority_.issuing().pem, kNow).error().code, EKEYREJECTED);
  EXPECT_EQ(authority_.verify(authority_.root().pem, kNow).error().code, EKEYREJECTED);
  const auto server =
      test::run({"sh", "-c",
                 "cd " + directory_.path() +
                     " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -subj "
                     "/CN=server -CA ca/issuing.crt -CAkey ca/issuing.key -addext basicConstraints=critical,CA:FALSE "
                     "-addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth"});
  ASSERT_TRUE(server.ok()) << server.err;
  const auto verified = authority_.verify(server.out, kNow);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, EKEYREJECTED);
  EXPECT_THAT(verified.error().detail, HasSubstr("purpose"));
}

TEST_F(IssueTest, GivesAnAuthorityThatNobodyCanExtend) {
  const std::string shown = text(authority_.issuing().pem);
  EXPECT_THAT(shown, AllOf(HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0\n"),
                           HasSubstr("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n"),
                           HasSubstr("X509v3 Authority Key Identifier:"), Not(HasSubstr("Extended Key Usage"))));
  EXPECT_THAT(text(authority_.root().pem), HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE\n"));
}

TEST_F(IssueTest, MakesACertificateForAServerByNameAndAddress) {
  const std::string request = value_of(make_request(key_, "any", wireguard_));
  const auto key = value_of(parse_server_request(request));
  const Certificate server =
      value_of(authority_.issue_server(key, {"vpn.contoso.example", "5.5.5.1", "2a0d:5::1"}, kNow, kNow + kYear));
  const auto verified = verify_with_openssl(server.pem, kNow, "sslserver");
  EXPECT_TRUE(verified.ok()) << verified.err;
  EXPECT_FALSE(verify_with_openssl(server.pem, kNow, "sslclient").ok());
  EXPECT_THAT(text(server.pem), AllOf(HasSubstr("DNS:vpn.contoso.example"), HasSubstr("IP Address:5.5.5.1"),
                                      HasSubstr("IP Address:2A0D:5:0:0:0:0:0:1")));
  EXPECT_FALSE(authority_.verify(server.pem, kNow));
}

TEST_F(IssueTest, RefusesNamesOfServersThatAreNone) {
  const auto key = value_of(parse_server_request(value_of(make_request(key_, "any", wireguard_))));
  for (const std::string& bad : {std::string("a,DNS:evil.example"), std::string("*.example"), std::string()}) {
    EXPECT_FALSE(authority_.issue_server(key, {bad}, kNow, kNow + kYear)) << bad;
  }
  EXPECT_FALSE(authority_.issue_server(key, {}, kNow, kNow + kYear));
}

}  // namespace
}  // namespace gw::pki
