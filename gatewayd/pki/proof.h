// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

/// Proof that who asks for a certificate holds the WireGuard key in it. A signing request proves the P-256 key alone,
/// and X25519 keys cannot sign, so the gateway shows an X25519 key and a nonce, and the client answers with a MAC under
/// the secret that the two keys share. The MAC covers the request: seen on its way, it serves nobody else.
namespace gw::pki {

inline constexpr size_t kNonceSize = 16;
inline constexpr size_t kProofSize = 32;

/// What a client is asked. The key is used for nothing else and thrown away after a minute.
struct Challenge {
  PublicKey public_key;
  std::array<uint8_t, kNonceSize> nonce{};
  bool operator==(const Challenge&) const = default;
};

/// HMAC-SHA256(X25519(`wireguard`, challenge key), "gatewayd wireguard proof 1" 00 nonce SHA-256(`request_der`)): 32
/// bytes. EINVAL: the challenge's key is a point of low order.
Result<std::string> prove(const SecretKey& wireguard, const Challenge& challenge, std::string_view request_der);

/// The gateway's side: `secret` is of the challenge's key. EACCES: `proof` is not the one that the holder of
/// `wireguard` makes; EINVAL: `wireguard` is a point of low order. Constant time.
Result<void> check_proof(const SecretKey& secret, const std::array<uint8_t, kNonceSize>& nonce,
                         const PublicKey& wireguard, std::string_view request_der, std::string_view proof);

}  // namespace gw::pki
