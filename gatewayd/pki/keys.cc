// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "gatewayd/base/base64.h"

namespace gw::pki {

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> group{};
  int is_explicit = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
         std::string_view(group.data()) == SN_X9_62_prime256v1 &&
         EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) == 1 &&
         is_explicit == 0;
}

PrivateKey::PrivateKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::generate() {
  const ErrorQueue errors;
  KeyPtr key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (!key) return errors.failure(EIO, "make a P-256 key");
  return PrivateKey(std::make_unique<Impl>(std::move(key)));
}

Result<PrivateKey> PrivateKey::parse(const std::string& pem) {
  constexpr const char* kOperation = "read private key";
  const ErrorQueue errors;
  if (pem.size() > kMaxPemSize) return failure(EINVAL, kOperation, {}, "it is longer than 16 KiB");
  const BioPtr bio = reader(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return errors.failure(EINVAL, kOperation, {}, "not an unencrypted private key in PEM");
  if (!is_p256(key.get())) return failure(EINVAL, kOperation, {}, "it is not a P-256 key");
  const std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>> check(EVP_PKEY_CTX_new(key.get(), nullptr));
  if (!check || EVP_PKEY_check(check.get()) != 1) {
    return errors.failure(EINVAL, kOperation, {}, "its public half does not fit it");
  }
  return PrivateKey(std::make_unique<Impl>(std::move(key)));
}

std::string PrivateKey::reveal_pem() const {
  const ErrorQueue errors;
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) return {};
  return text_of(bio.get());
}

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

Result<WireGuardKeys> generate_wireguard_keys() {
  const ErrorQueue errors;
  std::array<uint8_t, kWireGuardKeySize> bytes{};
  if (RAND_priv_bytes(bytes.data(), bytes.size()) != 1) return errors.failure(EIO, "make a WireGuard key");
  bytes.front() &= 0xf8U;  // RFC 7748 §5: stored clamped, as wg(8) prints it
  bytes.back() = static_cast<uint8_t>((bytes.back() & 0x7fU) | 0x40U);
  const SecretKey secret(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return WireGuardKeys{secret, public_of(secret)};
}

Result<std::string> pin_of(const std::string& public_key_pem) {
  const ErrorQueue errors;
  const BioPtr bio = reader(public_key_pem);
  const KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  unsigned char* raw = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &raw) : 0;
  const BufferPtr owner(raw);
  if (size <= 0) return errors.failure(EINVAL, "read public key", {}, "it is none in PEM");
  return base64(sha256(std::string_view(reinterpret_cast<const char*>(raw), static_cast<size_t>(size))));
}

PublicKey public_of(const SecretKey& secret) {
  const ErrorQueue errors;
  const KeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.reveal().data(), kWireGuardKeySize));
  PublicKey out;
  size_t size = out.bytes.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), out.bytes.data(), &size) != 1) return {};
  return out;
}

namespace {

std::string uuid_text(std::array<uint8_t, 16> bytes, uint8_t version) {
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0fU) | static_cast<uint8_t>(version << 4U));
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3fU) | 0x80U);  // variant of RFC 9562
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 0xfU];
  }
  return out;
}

}  // namespace

std::array<uint8_t, 32> sha256(std::string_view bytes) {
  std::array<uint8_t, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return digest;
}

std::string random_bytes(size_t count) {
  std::string out(count, 0);
  if (getentropy(out.data(), out.size()) != 0) std::abort();  // no kernel randomness: nothing after this would be safe
  return out;
}

std::string random_uuid() {
  std::array<uint8_t, 16> bytes{};
  random_bytes(bytes.size()).copy(reinterpret_cast<char*>(bytes.data()), bytes.size());
  return uuid_text(bytes, 4);
}

std::string named_uuid(std::string_view name) {
  const auto digest = sha256(name);
  std::array<uint8_t, 16> bytes{};
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return uuid_text(bytes, 8);
}

}  // namespace gw::pki
