// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gatewayd/base/base64.h"

namespace gw::fuzz {

/// DER in its PEM coat (RFC 7468), so that a fuzzer need not discover base64.
inline std::string pem(const std::string& label, std::span<const uint8_t> der) {
  const std::string text = base64(der);
  std::string out = "-----BEGIN " + label + "-----\n";
  for (size_t at = 0; at < text.size(); at += 64) out += text.substr(at, 64) + "\n";
  return out + "-----END " + label + "-----\n";
}

}  // namespace gw::fuzz
