// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gatewayd/base/key.h"
#include "tests/support/packet.h"

/// WireGuard's messages as bytes (whitepaper section 5.4), with a mac1 by OpenSSL: nothing of the gateway's own code.
/// What is under encryption in a real message is noise here, different for each `seed`; tests of real ones take them
/// off the wire.
namespace gw::test {

inline constexpr uint16_t kWireGuardPort = 51820;

/// mac1 over `covered` for whoever has `public_key`: 16 bytes.
Bytes mac1_of(const Bytes& covered, const PublicKey& public_key);

Bytes initiation(const PublicKey& to, uint32_t seed = 1);   ///< 148 bytes
Bytes response(const PublicKey& to, uint32_t seed = 1);     ///< 92 bytes
Bytes cookie_reply(uint32_t seed = 1);                      ///< 64 bytes
Bytes transport_data(size_t size = 32, uint32_t seed = 1);  ///< 32 bytes is a keepalive
/// Without knowing the key: right in everything but mac1.
Bytes forged_initiation(uint32_t seed = 1);
Bytes forged_response(uint32_t seed = 1);

PublicKey some_key(uint8_t number);

}  // namespace gw::test
