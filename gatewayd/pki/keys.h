// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: private keys with their OpenSSL handles.

#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {

struct PrivateKey::Impl {
  KeyPtr key;
};

/// The curve of every certificate here, by name and not by its parameters (RFC 5480 §2.1.1).
[[nodiscard]] bool is_p256(const EVP_PKEY* key);

}  // namespace gw::pki
