// SPDX-License-Identifier: Apache-2.0
#include "tests/support/wireguard_message.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <random>
#include <stdexcept>
#include <string_view>

namespace gw::test {
namespace {

constexpr size_t kMac1 = 16, kMac2 = 16;

Bytes hash(const Bytes& data) {
  Bytes out(32);
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &size, EVP_blake2s256(), nullptr) != 1 || size != out.size())
    throw std::runtime_error("BLAKE2s");
  return out;
}

Bytes keyed_hash(Bytes key, const Bytes& data, size_t size) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_BLAKE2SMAC, nullptr),
                                                              &EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(mac.get()),
                                                                          &EVP_MAC_CTX_free);
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
  Bytes out(size);
  size_t written = 0;
  if (!context || EVP_MAC_init(context.get(), key.data(), key.size(), parameters) != 1 ||
      EVP_MAC_update(context.get(), data.data(), data.size()) != 1 ||
      EVP_MAC_final(context.get(), out.data(), &written, out.size()) != 1 || written != size)
    throw std::runtime_error("keyed BLAKE2s");
  return out;
}

/// `type` in little-endian and noise behind it.
Bytes noise(uint8_t type, size_t size, uint32_t seed) {
  std::minstd_rand random(seed + type);
  Bytes out(size);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(random() >> 8U);
  out[0] = type;
  out[1] = out[2] = out[3] = 0;
  return out;
}

Bytes handshake(uint8_t type, size_t size, const PublicKey& to, uint32_t seed) {
  Bytes out = noise(type, size - kMac1 - kMac2, seed);
  const Bytes mac1 = mac1_of(out, to);
  out.insert(out.end(), mac1.begin(), mac1.end());
  out.resize(size);  // mac2 is zero unless a cookie was asked for
  return out;
}

}  // namespace

Bytes mac1_of(const Bytes& covered, const PublicKey& public_key) {
  constexpr std::string_view kLabel = "mac1----";
  Bytes labelled(kLabel.begin(), kLabel.end());
  labelled.insert(labelled.end(), public_key.bytes.begin(), public_key.bytes.end());
  return keyed_hash(hash(labelled), covered, kMac1);
}

Bytes initiation(const PublicKey& to, uint32_t seed) { return handshake(1, 148, to, seed); }
Bytes response(const PublicKey& to, uint32_t seed) { return handshake(2, 92, to, seed); }
Bytes cookie_reply(uint32_t seed) { return noise(3, 64, seed); }
Bytes transport_data(size_t size, uint32_t seed) { return noise(4, size, seed); }
Bytes forged_initiation(uint32_t seed) { return noise(1, 148, seed); }
Bytes forged_response(uint32_t seed) { return noise(2, 92, seed); }

PublicKey some_key(uint8_t number) {
  PublicKey out;
  for (size_t i = 0; i < out.bytes.size(); ++i) out.bytes.at(i) = static_cast<uint8_t>(number + 7 * i);
  return out;
}

}  // namespace gw::test
