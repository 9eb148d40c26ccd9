// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gatewayd/base/result.h"

/// The forms in which EST (RFC 7030) carries what is PEM elsewhere in this project.
namespace gw::pki {

/// The DER of the one PKCS#10 request in `pem`. EINVAL: it is none.
Result<std::string> request_der(const std::string& pem);
/// The other way. EINVAL: not a request, bytes behind it, or longer than 16 KiB. Hostile bytes; nothing of it is
/// judged.
Result<std::string> request_pem(std::string_view der);

/// The certificates of `pems`, in order, as a degenerate PKCS#7 (RFC 5652, "certs-only"): DER. EINVAL: none in it.
Result<std::string> certs_only(const std::string& pems);
/// The other way: hostile bytes. EINVAL: not a PKCS#7 with certificates, or longer than 64 KiB.
Result<std::string> pems_of(std::string_view der);

/// What requests have to hold (RFC 7030 §4.5.2): a P-256 key, and an extension request for the WireGuard key. DER.
std::string request_attributes();

}  // namespace gw::pki
