// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class CertificatesTest : public RegistryTest {
 protected:
  CertificatesTest() { add(registry_, "alice", 1); }
  [[nodiscard]] Client alice() const { return value_of(registry_.client("alice")); }

  Registry registry_ = open();
};

TEST_F(CertificatesTest, GiveAccessToTheirLastSecond) {
  EXPECT_TRUE(alice().has_access(kNow + kYear));
  EXPECT_FALSE(alice().has_access(kNow + kYear + 1));
}

TEST_F(CertificatesTest, AreRenewedForTheSameKey) {
  require(registry_.add_certificate(certificate("alice", 2, key(1), kNow + 2 * kYear), "uid 0", kNow));
  EXPECT_EQ(alice().serial, serial(2));
  EXPECT_EQ(alice().not_after, kNow + 2 * kYear);
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).revoked_at, 0);
  EXPECT_EQ(code_of(registry_.add_certificate(certificate("alice", 3, key(7)), "uid 0", kNow)), EINVAL);
}

TEST_F(CertificatesTest, AreFoundAndRevokedByTheirFingerprintToo) {
  Certificate second = certificate("alice", 2, key(1));
  second.sha256 = std::string(62, 'a') + "0b";
  require(registry_.add_certificate(second, "uid 0", kNow));
  std::string written;  // as openssl x509 -fingerprint -sha256 prints it
  for (size_t i = 0; i < second.sha256.size(); i += 2) written += (i == 0 ? "" : ":") + second.sha256.substr(i, 2);
  std::ranges::transform(written, written.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_EQ(value_of(registry_.certificate(written)).serial, serial(2));
  require(registry_.revoke_certificate(written, "superseded", "uid 0", kNow));
  EXPECT_NE(value_of(registry_.certificate(serial(2))).revoked_at, 0);
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).revoked_at, 0);
  EXPECT_THAT(refusal(registry_.certificate(std::string(64, 'b'))), HasSubstr("no certificate has that SHA-256"));
}

TEST_F(CertificatesTest, OfARevokedClientAreNotRenewed) {
  require(registry_.revoke_client("alice", "unspecified", "uid 0", kNow));
  const auto renewed = registry_.add_certificate(certificate("alice", 2, key(1)), "uid 0", kNow);
  EXPECT_EQ(code_of(renewed), EKEYREVOKED);
  EXPECT_THAT(refusal(renewed), HasSubstr("gwctl client rekey"));
  EXPECT_FALSE(alice().has_access(kNow));
}

TEST_F(CertificatesTest, AreAllRevokedWithTheClientFromThatSecond) {
  require(registry_.add_certificate(certificate("alice", 2, key(1)), "uid 0", kNow));
  require(registry_.revoke_client("alice", "privilegeWithdrawn", "uid 0", kNow + 9));
  for (const Certificate& one : value_of(registry_.certificates())) {
    EXPECT_EQ(one.revoked_at, kNow + 9);
    EXPECT_EQ(one.reason, "privilegeWithdrawn");
  }
  EXPECT_EQ(alice().revoked_at, kNow + 9);
  EXPECT_FALSE(alice().has_access(kNow + 9));
}

TEST_F(CertificatesTest, RevokedAgainKeepTheFirstTimeAndReason) {
  require(registry_.revoke_client("alice", "superseded", "uid 0", kNow));
  require(registry_.revoke_client("alice", "unspecified", "uid 0", kNow + 9));
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).revoked_at, kNow);
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).reason, "superseded");
}

TEST_F(CertificatesTest, ThatTurnOutCompromisedLaterAreMarkedSoFromTheFirstTime) {
  require(registry_.revoke_client("alice", "unspecified", "uid 0", kNow));
  require(registry_.revoke_client("alice", "keyCompromise", "uid 0", kNow + 9));
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).revoked_at, kNow);
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).reason, "keyCompromise");
}

TEST_F(CertificatesTest, OfTheOldKeyEndWithARekey) {
  require(registry_.revoke_client("alice", "unspecified", "uid 0", kNow));
  require(registry_.rekey_client("alice", certificate("alice", 2, key(2)), "uid 0", kNow + 1));
  EXPECT_EQ(alice().wireguard, key(2));
  EXPECT_EQ(alice().serial, serial(2));
  EXPECT_TRUE(alice().has_access(kNow + 1));
  require(registry_.rekey_client("alice", certificate("alice", 3, key(3)), "uid 0", kNow + 2));
  EXPECT_EQ(value_of(registry_.certificate(serial(1))).reason, "unspecified");
  EXPECT_EQ(value_of(registry_.certificate(serial(2))).reason, "superseded");
  EXPECT_EQ(value_of(registry_.certificate(serial(2))).revoked_at, kNow + 2);
}

TEST_F(CertificatesTest, OfARekeyNeedAKeyThatIsNewAndNobodyElses) {
  add(registry_, "bob", 2);
  EXPECT_EQ(code_of(registry_.rekey_client("alice", certificate("alice", 3, key(1)), "uid 0", kNow)), EINVAL);
  const auto others = registry_.rekey_client("alice", certificate("alice", 3, key(2)), "uid 0", kNow);
  EXPECT_EQ(code_of(others), EEXIST);
  EXPECT_THAT(refusal(others), HasSubstr("client bob has it"));
  EXPECT_TRUE(alice().has_access(kNow));
}

TEST_F(CertificatesTest, WithACompromisedKeyNeverComeBack) {
  require(registry_.revoke_client("alice", "keyCompromise", "uid 0", kNow));
  require(registry_.remove_client("alice", "uid 0", kNow));
  Client again = value_of(registry_.plan_client("alice", pools()));
  again.device_uuid = uuid(9);
  again.wireguard = key(1);
  const auto added = registry_.add_client(again, certificate("alice", 9, key(1)), "uid 0", kNow);
  EXPECT_EQ(code_of(added), EKEYREVOKED);
  EXPECT_THAT(refusal(added), AllOf(HasSubstr(serial(1)), HasSubstr("make new keys")));
}

TEST_F(CertificatesTest, OfARemovedClientLeaveItsKeyFreeToUse) {
  require(registry_.remove_client("alice", "uid 0", kNow));
  Client again = value_of(registry_.plan_client("alice", pools()));
  again.device_uuid = uuid(1);
  again.wireguard = key(1);
  require(registry_.add_client(again, certificate("alice", 9, key(1)), "uid 0", kNow));
  EXPECT_TRUE(alice().has_access(kNow));
}

TEST_F(CertificatesTest, AreRevokedOneByOneTheNewestDecidingAccess) {
  require(registry_.add_certificate(certificate("alice", 2, key(1)), "uid 0", kNow));
  require(registry_.revoke_certificate(serial(1), "superseded", "uid 0", kNow));
  EXPECT_TRUE(alice().has_access(kNow));
  require(registry_.revoke_certificate(serial(2).substr(0, 8), "keyCompromise", "uid 0", kNow));
  EXPECT_FALSE(alice().has_access(kNow));
  EXPECT_EQ(code_of(registry_.revoke_certificate("ffffffff", "superseded", "uid 0", kNow)), ENOENT);
}

TEST_F(CertificatesTest, NeedAKnownReasonAndATimeToBeRevoked) {
  for (const char* bad : {"", "stolen", "certificateHold"}) {
    const auto revoked = registry_.revoke_client("alice", bad, "uid 0", kNow);
    EXPECT_EQ(code_of(revoked), EINVAL);
    EXPECT_THAT(refusal(revoked), HasSubstr("give one of unspecified, keyCompromise"));
    EXPECT_EQ(code_of(registry_.revoke_certificate(serial(1), bad, "uid 0", kNow)), EINVAL);
  }
  EXPECT_EQ(code_of(registry_.revoke_client("alice", "unspecified", "uid 0", 0)), EINVAL);
  EXPECT_EQ(code_of(registry_.remove_client("alice", "uid 0", 0)), EINVAL);
  EXPECT_TRUE(alice().has_access(kNow));
}

TEST_F(CertificatesTest, AreFoundByAUniqueBeginning) {
  Certificate twin = certificate("alice", 2, key(1));
  twin.serial = serial(1).substr(0, 10) + std::string(22, 'f');
  require(registry_.add_certificate(twin, "uid 0", kNow));
  EXPECT_EQ(value_of(registry_.certificate(twin.serial.substr(0, 11))).serial, twin.serial);
  EXPECT_EQ(value_of(registry_.certificate(twin.serial)).serial, twin.serial);
  std::string shown;
  for (size_t i = 0; i < 32; i += 2) shown += (i == 0 ? "" : ":") + twin.serial.substr(i, 2);
  std::ranges::transform(shown, shown.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_EQ(value_of(registry_.certificate(shown)).serial, twin.serial);
  const auto both = registry_.certificate(twin.serial.substr(0, 10));
  EXPECT_EQ(code_of(both), EINVAL);
  EXPECT_THAT(refusal(both), AllOf(HasSubstr("2 certificates begin so"), HasSubstr(serial(1)), HasSubstr(twin.serial)));
  EXPECT_EQ(code_of(registry_.certificate("")), EINVAL);
  EXPECT_EQ(code_of(registry_.certificate("xyz")), EINVAL);
  EXPECT_EQ(code_of(registry_.certificate("00000000ff")), ENOENT);
}

TEST_F(CertificatesTest, WhoseSerialNumberBeginsAnotherAreFoundByTheWholeOfIt) {
  Certificate shorter = certificate("alice", 2, key(1));
  shorter.serial = serial(1).substr(0, 8);
  require(registry_.add_certificate(shorter, "uid 0", kNow));
  EXPECT_EQ(value_of(registry_.certificate(shorter.serial)).serial, shorter.serial);
}

TEST_F(CertificatesTest, AndEveryChangeAreInTheAuditTrail) {
  require(registry_.add_certificate(certificate("alice", 2, key(1)), "user bob", kNow + 1));
  require(registry_.rekey_client("alice", certificate("alice", 3, key(3)), "user bob", kNow + 2));
  require(registry_.revoke_certificate(serial(3), "unspecified", "user bob", kNow + 3));
  require(registry_.revoke_client("alice", "keyCompromise", "user bob", kNow + 4));
  require(registry_.remove_client("alice", "user bob", kNow + 5));
  std::vector<std::string> lines;
  for (const AuditEntry& entry : value_of(registry_.audit(100)))
    lines.push_back(std::to_string(entry.at - kNow) + " " + entry.who + " " + entry.what);
  EXPECT_THAT(lines, ElementsAre("5 user bob client remove alice: 172.16.0.3, fd6d:706e:6c61::3",
                                 "4 user bob client revoke alice: keyCompromise",
                                 "3 user bob cert revoke " + serial(3) + " of alice: unspecified",
                                 "2 user bob client rekey alice: certificate " + serial(3),
                                 "1 user bob client renew alice: certificate " + serial(2),
                                 "0 uid 0 client add alice: 172.16.0.3, fd6d:706e:6c61::3; certificate " + serial(1)));
  EXPECT_EQ(value_of(registry_.audit(2)).size(), 2U);
}

class CertificateEndsTest : public RegistryTest {};

TEST_F(CertificateEndsTest, AreThoseOfClientsWithAccess) {
  Registry registry = open();
  for (uint32_t n = 1; n <= 4; ++n) {
    Client client = value_of(registry.plan_client("client" + std::to_string(n), pools()));
    client.device_uuid = uuid(n);
    client.wireguard = key(n);
    require(registry.add_client(client, certificate(client.name, n, key(n), kNow + 10 * (5 - n)), "uid 0", kNow));
  }
  require(registry.revoke_client("client3", "superseded", "uid 0", kNow));
  EXPECT_THAT(value_of(registry.certificate_ends(kNow, kNow + 30)),
              testing::ElementsAre(CertificateEnd{"client4", kNow - 300, kNow + 10},
                                   CertificateEnd{"client2", kNow - 300, kNow + 30}));
  EXPECT_THAT(value_of(registry.certificate_ends(kNow + 31, kNow + 40)),
              testing::ElementsAre(CertificateEnd{"client1", kNow - 300, kNow + 40}));
}

}  // namespace
}  // namespace gw::registry
