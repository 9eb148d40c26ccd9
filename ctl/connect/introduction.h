// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/result.h"
#include "gatewayd/pki/openssl.h"

/// What a machine joins with in place of a token: a certificate that its organisation gave it.
namespace gw::connect {

struct Introduction {
  std::string certificate_pem;
  std::string chain_pem;  ///< what stands behind it in its file: authorities that lead to the organisation's root
  pki::KeyPtr key;        ///< of any kind that TLS 1.3 takes
};

/// Reads both, PEM. A key that is encrypted needs `passphrase_file`, its first line, or a person at the terminal.
/// EINVAL: not a certificate or key, the wrong passphrase, or the two do not fit.
Result<Introduction> read_introduction(const std::string& certificate_file, const std::string& key_file,
                                       const std::string& passphrase_file);

}  // namespace gw::connect
