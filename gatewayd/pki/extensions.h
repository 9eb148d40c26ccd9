// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: what the extensions of requests and certificates hold.

#include <optional>
#include <string>

#include "gatewayd/base/key.h"
#include "gatewayd/pki/openssl.h"

namespace gw::pki {

/// The non-critical extension kWireGuardKeyOid; null when OpenSSL fails.
ExtensionPtr wireguard_extension(const PublicKey& key);

/// The WireGuard key among `extensions`, which may be null. EINVAL: there twice, or not 32 bytes in an OCTET STRING.
Result<std::optional<PublicKey>> wireguard_key_in(const STACK_OF(X509_EXTENSION) * extensions);

/// True for the extension kWireGuardKeyOid.
bool is_wireguard_extension(const X509_EXTENSION* extension);

/// The extension's short name, or its object identifier where it has none.
std::string name_of(const X509_EXTENSION* extension);

/// The one common name of a subject, as UTF-8; empty when there is none. EINVAL: several, or control characters in it.
Result<std::string> common_name(const X509_NAME* name);

}  // namespace gw::pki
