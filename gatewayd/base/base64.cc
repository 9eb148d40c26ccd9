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

std::string base64(std::string_view bytes) {
  return base64(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  unsigned held = 0;
  size_t characters = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    ++characters;
    if (c == '=') {
      ++padding;
      continue;
    }
    const size_t value = kBase64Alphabet.find(c);
    if (value == std::string_view::npos || padding != 0) return std::nullopt;
    bits = bits << 6U | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xffU);
  }
  const bool canonical = (bits & ((1U << held) - 1)) == 0 && padding * 2 == held;
  if (characters % 4 != 0 || !canonical) return std::nullopt;
  return out;
}

}  // namespace gw
