// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/key.h"

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <algorithm>

#include "gatewayd/base/base64.h"

namespace gw {
namespace {

constexpr size_t kTextSize = 44;
using Bytes = std::array<uint8_t, kWireGuardKeySize>;

std::optional<Bytes> decode(std::string_view text) {
  if (text.size() != kTextSize || text.back() != '=') return std::nullopt;
  Bytes out{};
  uint32_t bits = 0;
  int held = 0;
  size_t at = 0;
  for (const char c : text.substr(0, kTextSize - 1)) {
    const size_t value = kBase64Alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8 && at < out.size()) {
      held -= 8;
      out[at++] = static_cast<uint8_t>(bits >> static_cast<unsigned>(held));
    }
  }
  if ((bits & 3U) != 0) return std::nullopt;  // not canonical: the two spare bits are not zero
  return out;
}

// The encodings of the points whose order divides 8, and their non-canonical twins
// (https://cr.yp.to/ecdh.html#validate).
constexpr std::array<Bytes, 7> kLowOrder = {{
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}};

}  // namespace

std::string PublicKey::str() const { return base64(bytes); }

std::optional<PublicKey> PublicKey::parse(std::string_view text) {
  const auto decoded = decode(text);
  if (!decoded) return std::nullopt;
  return PublicKey{*decoded};
}

bool PublicKey::is_low_order() const {
  Bytes masked = bytes;
  masked.back() &= 0x7fU;  // the top bit is ignored by X25519 (RFC 7748 §5)
  return std::find(kLowOrder.begin(), kLowOrder.end(), masked) != kLowOrder.end();
}

SecretKey::~SecretKey() { explicit_bzero(bytes_.data(), bytes_.size()); }

std::string SecretKey::reveal_base64() const { return base64(bytes_); }

std::optional<SecretKey> SecretKey::parse(std::string_view text) {
  auto decoded = decode(text);
  if (!decoded) return std::nullopt;
  SecretKey out(*decoded);
  explicit_bzero(decoded->data(), decoded->size());
  return out;
}

bool SecretKey::operator==(const SecretKey& other) const {
  uint8_t difference = 0;
  for (size_t i = 0; i < bytes_.size(); ++i) difference |= static_cast<uint8_t>(bytes_[i] ^ other.bytes_[i]);
  return difference == 0;
}

}  // namespace gw
