// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/proof.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <cerrno>

#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {
namespace {

constexpr const char* kProve = "prove the WireGuard key";
constexpr std::string_view kPurpose{"gatewayd wireguard proof 1\0", 27};

using DerivePtr = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Shared = std::array<uint8_t, kWireGuardKeySize>;

/// X25519 (RFC 7748 §6.1); OpenSSL refuses a result of zeros, which points of low order give.
Result<Shared> shared_secret(const SecretKey& mine, const PublicKey& other) {
  const ErrorQueue errors;
  const KeyPtr secret(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, mine.reveal().data(), kWireGuardKeySize));
  const KeyPtr peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other.bytes.data(), kWireGuardKeySize));
  const DerivePtr context(secret ? EVP_PKEY_CTX_new(secret.get(), nullptr) : nullptr);
  Shared out{};
  size_t size = out.size();
  if (!context || !peer || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), out.data(), &size) != 1) {
    return errors.failure(EINVAL, kProve, other.str(), "the two keys share no secret");
  }
  return out;
}

Result<std::string> mac(const SecretKey& mine, const PublicKey& other, const std::array<uint8_t, kNonceSize>& nonce,
                        std::string_view request_der) {
  auto key = shared_secret(mine, other);
  if (!key) return std::unexpected(key.error());
  const ErrorQueue errors;
  std::string message(kPurpose);
  message.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  std::string out(kProofSize, '\0');
  const auto digest = sha256(request_der);
  message.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  const bool made = HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()),
                         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                         reinterpret_cast<unsigned char*>(out.data()), nullptr) != nullptr;
  OPENSSL_cleanse(key->data(), key->size());
  if (!made) return errors.failure(EIO, kProve);
  return out;
}

}  // namespace

Result<std::string> prove(const SecretKey& wireguard, const Challenge& challenge, std::string_view request_der) {
  return mac(wireguard, challenge.public_key, challenge.nonce, request_der);
}

Result<void> check_proof(const SecretKey& secret, const std::array<uint8_t, kNonceSize>& nonce,
                         const PublicKey& wireguard, std::string_view request_der, std::string_view proof) {
  const auto expected = mac(secret, wireguard, nonce, request_der);
  if (!expected) return std::unexpected(expected.error());
  if (proof.size() == expected->size() && CRYPTO_memcmp(proof.data(), expected->data(), proof.size()) == 0) return {};
  return failure(EACCES, kProve, wireguard.str(), "the proof is not by the holder of this key for this request");
}

}  // namespace gw::pki
