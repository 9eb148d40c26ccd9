// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gatewayd/base/result.h"

/// Content under a passphrase, as openssl(1) reads it without us:
///
///     openssl cms -decrypt -binary -inform DER -in FILE -pwri_password PASSPHRASE -out backup.tar
///
/// CMS AuthEnvelopedData (RFC 5652, RFC 5083) in DER: AES-256-GCM, so that a change, a cut or another order of any byte
/// of the content is found; its key wrapped for one password recipient (RFC 3211, AES-256-CBC) under PBKDF2 with
/// kIterations rounds of HMAC-SHA-1, the only function that OpenSSL 3.0 takes there.
namespace gw::pki {

/// What OWASP advises for PBKDF2 with HMAC-SHA-1 (2023); half a second on a small machine.
inline constexpr int kIterations = 1'300'000;

Result<std::string> seal(std::string_view content, std::string_view passphrase);

/// The content, which the caller wipes. EINVAL: it was not sealed so, or is cut short; EKEYREJECTED: the passphrase is
/// wrong, or the file was changed.
Result<std::string> unseal(std::string_view sealed, std::string_view passphrase);

}  // namespace gw::pki
