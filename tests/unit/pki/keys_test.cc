// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gatewayd/pki/pki.h"
#include "tests/support/process.h"

namespace gw::pki {
namespace {

using testing::HasSubstr;

TEST(WireGuardKeys, AreTheOnesThatWgDerives) {
  const auto keys = generate_wireguard_keys();
  ASSERT_TRUE(keys);
  const auto wg = test::run({"wg", "pubkey"}, std::chrono::seconds(30), {}, keys->secret.reveal_base64());
  EXPECT_EQ(wg.out, keys->public_key.str() + "\n");
}

TEST(WireGuardKeys, AreClampedAndNeverTheSame) {
  std::set<PublicKey> seen;
  for (int i = 0; i < 50; ++i) {
    const auto keys = generate_wireguard_keys();
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->secret.reveal().front() & 0x07U, 0U);
    EXPECT_EQ(keys->secret.reveal().back() & 0xc0U, 0x40U);
    EXPECT_FALSE(keys->public_key.is_low_order());
    EXPECT_TRUE(seen.insert(keys->public_key).second);
  }
}

TEST(WireGuardKeys, AgreeWithTheVectorOfRfc7748) {
  // §6.1: Alice's keys.
  const auto secret = SecretKey::parse("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
  ASSERT_TRUE(secret);
  EXPECT_EQ(public_of(*secret).str(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
}

TEST(PrivateKey, ReadsThePemThatItWrote) {
  const auto key = PrivateKey::generate();
  ASSERT_TRUE(key);
  const std::string pem = key->reveal_pem();
  EXPECT_THAT(pem, HasSubstr("-----BEGIN PRIVATE KEY-----"));
  const auto again = PrivateKey::parse(pem);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->reveal_pem(), pem);
}

TEST(PrivateKey, RefusesWhatIsNoP256KeyAndSaysWhy) {
  const auto refusal = [](const std::string& pem) {
    const auto key = PrivateKey::parse(pem);
    return key ? std::string("accepted") : key.error().message();
  };
  EXPECT_THAT(refusal(""), HasSubstr("not an unencrypted private key in PEM"));
  EXPECT_THAT(refusal(std::string(20000, 'x')), HasSubstr("longer than 16 KiB"));
  EXPECT_THAT(refusal(test::run({"openssl", "genpkey", "-algorithm", "X25519"}).out), HasSubstr("not a P-256 key"));
  EXPECT_THAT(refusal(test::run({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"}).out),
              HasSubstr("not a P-256 key"));
  EXPECT_THAT(refusal(test::run({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                                 "-pkeyopt", "ec_param_enc:explicit"})
                          .out),
              HasSubstr("not a P-256 key"));
  EXPECT_THAT(refusal(test::run({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                                 "-aes256", "-pass", "pass:secret"})
                          .out),
              HasSubstr("not an unencrypted private key"));
}

TEST(Wipe, LeavesNothingOfASecretInTheBuffer) {
  std::string secret(100, 's');
  const char* buffer = secret.data();
  wipe(secret);
  EXPECT_TRUE(secret.empty());
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(buffer[i], 0) << i;
}

TEST(RandomUuid, HasTheShapeOfVersion4) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string uuid = random_uuid();
    EXPECT_TRUE(is_uuid(uuid)) << uuid;
    EXPECT_EQ(uuid[14], '4');
    EXPECT_THAT("89ab", HasSubstr(uuid.substr(19, 1)));
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(RandomUuid, OtherShapesAreNone) {
  EXPECT_FALSE(is_uuid(""));
  EXPECT_FALSE(is_uuid("5CDA404D-68AD-4D7F-88A3-E2642A04D2FA"));
  EXPECT_FALSE(is_uuid("5cda404d68ad4d7f88a3e2642a04d2fa"));
  EXPECT_FALSE(is_uuid("5cda404d-68ad-4d7f-88a3-e2642a04d2fa,DNS:x"));
}

}  // namespace
}  // namespace gw::pki
