// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/base64.h"

#include <algorithm>

namespace gw {

std::string base64(std::span<const uint8_t> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t held = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8U | (k < held ? bytes[i + k] : 0U);
    for (size_t k = 0; k < 4; ++k) out += k <= held ? kBase64Alphabet[word >> (18U - 6U * k) & 63U] : '=';
  }
  return out;
}

}  // namespace gw
