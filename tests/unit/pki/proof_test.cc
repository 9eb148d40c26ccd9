// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/proof.h"

#include "gatewayd/base/base64.h"
#include "gatewayd/pki/est.h"
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

constexpr std::string_view kRequest = "a request";

class ProofTest : public testing::Test {
 protected:
  [[nodiscard]] Result<void> check(const PublicKey& who, std::string_view request, std::string_view proof) const {
    return check_proof(asked_.secret, challenge_.nonce, who, request, proof);
  }

  WireGuardKeys device_ = value_of(generate_wireguard_keys());
  WireGuardKeys asked_ = value_of(generate_wireguard_keys());
  Challenge challenge_{.public_key = asked_.public_key, .nonce = {1, 2, 3}};
  std::string proof_ = value_of(prove(device_.secret, challenge_, kRequest));
};

TEST_F(ProofTest, IsAcceptedFromTheHolderOfTheKey) { EXPECT_TRUE(check(device_.public_key, kRequest, proof_)); }

TEST_F(ProofTest, IsRefusedForAnotherKeyRequestOrNonce) {
  const WireGuardKeys other = value_of(generate_wireguard_keys());
  EXPECT_EQ(check(other.public_key, kRequest, proof_).error().code, EACCES);
  EXPECT_EQ(check(device_.public_key, "another request", proof_).error().code, EACCES);
  challenge_.nonce[0] ^= 1U;
  EXPECT_EQ(check(device_.public_key, kRequest, proof_).error().code, EACCES);
}

TEST_F(ProofTest, IsRefusedWhenAnyByteDiffersOrIsMissing) {
  for (size_t i = 0; i < proof_.size(); ++i) {
    std::string changed = proof_;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(check(device_.public_key, kRequest, changed)) << i;
    EXPECT_FALSE(check(device_.public_key, kRequest, proof_.substr(0, i))) << i;
  }
}

TEST_F(ProofTest, NeedsKeysThatShareASecret) {
  EXPECT_EQ(check(PublicKey{}, kRequest, proof_).error().code, EINVAL);
  EXPECT_EQ(prove(device_.secret, Challenge{}, kRequest).error().code, EINVAL);
}

// What a shell script with openssl makes of the same: the protocol is what is written down, not what this code does.
TEST_F(ProofTest, IsWhatOpensslComputes) {
  const test::TempDir directory;
  const auto write = [&](const std::string& name, std::string bytes) {
    if (auto done = write_file_atomically(directory / name, bytes, 0600); !done) throw std::runtime_error("write");
  };
  const auto raw = [](const auto& key) { return std::string(key.begin(), key.end()); };
  // RFC 8410: the few bytes in front of a raw X25519 key.
  write("secret.der", std::string("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20", 16) +
                          raw(device_.secret.reveal()));
  write("peer.der",
        std::string("\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00", 12) + raw(challenge_.public_key.bytes));
  write("nonce", raw(challenge_.nonce));
  write("request", std::string(kRequest));
  const auto made =
      test::run({"sh", "-ec",
                 "cd " + std::string(directory / "") +
                     "; key=$(openssl pkeyutl -derive -keyform DER -inkey secret.der -peerform DER -peerkey peer.der"
                     " | od -An -vtx1 | tr -d ' \\n');"
                     " { printf 'gatewayd wireguard proof 1\\000'; cat nonce; openssl dgst -sha256 -binary request; }"
                     " | openssl mac -digest SHA256 -macopt hexkey:$key -in - -binary HMAC | base64"});
  ASSERT_TRUE(made.ok()) << made.err;
  EXPECT_EQ(base64_decode(made.out), proof_);
}

class EstTest : public AuthorityTest {};

TEST_F(EstTest, TurnsRequestsIntoDerAndBack) {
  const std::string pem = value_of(make_request(key_, "alice", wireguard_));
  const std::string der = value_of(request_der(pem));
  EXPECT_EQ(value_of(request_pem(der)), pem);
  EXPECT_FALSE(request_pem(der + "x"));
  EXPECT_FALSE(request_pem(der.substr(1)));
  EXPECT_FALSE(request_pem(""));
}

TEST_F(EstTest, PacksCertificatesAsOpensslReadsThem) {
  const Authority authority = open();
  const std::string pack = value_of(certs_only(authority.chain_pem()));
  EXPECT_EQ(value_of(pems_of(pack)), authority.chain_pem());
  const auto read = test::run({"openssl", "pkcs7", "-inform", "DER", "-in", file("pack.p7", pack), "-print_certs"});
  EXPECT_THAT(read.out, testing::HasSubstr("gatewayd issuing CA"));
  EXPECT_FALSE(certs_only("nothing"));
  EXPECT_FALSE(pems_of("nothing"));
}

TEST_F(EstTest, TellsWhatARequestHasToHold) {
  const auto read =
      test::run({"openssl", "asn1parse", "-inform", "DER", "-in", file("attributes", request_attributes())});
  EXPECT_THAT(read.out, testing::HasSubstr("prime256v1"));
  EXPECT_THAT(read.out, testing::HasSubstr("Extension Request"));
  EXPECT_THAT(read.out, testing::HasSubstr(kWireGuardKeyOid));
  EXPECT_THAT(read.out, testing::Not(testing::HasSubstr("Error")));
}

}  // namespace
}  // namespace gw::pki
