// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/invitation.h"

#include <algorithm>

#include "gatewayd/base/ip.h"
#include "gatewayd/pki/pki.h"

namespace gw::control {
namespace {

constexpr size_t kTokenBytes = 16;
constexpr size_t kTokenSize = 26;
constexpr uint16_t kHttps = 443;
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";

}  // namespace

std::string make_token() {
  std::string out;
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char byte : pki::random_bytes(kTokenBytes)) {
    bits = bits << 8U | static_cast<uint8_t>(byte);
    for (held += 8; held >= 5; held -= 5) out += kBase32[bits >> (held - 5) & 31U];
  }
  out += kBase32[bits << (5 - held) & 31U];
  return out;
}

std::optional<std::array<uint8_t, 32>> hash_of_token(std::string_view text) {
  if (text.size() != kTokenSize) return std::nullopt;
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!kBase32.contains(c)) return std::nullopt;
  }
  return pki::sha256(lower);
}

std::string join_link(const std::string& name, uint16_t port, const std::string& token,
                      const std::string& fingerprint) {
  const auto address = IpAddress::parse(name);
  std::string out = "https://" + (address && address->family == Family::v6 ? "[" + name + "]" : name);
  if (port != kHttps) out += ":" + std::to_string(port);
  return out + "/join#" + (token.empty() ? "" : "token=" + token + "&") + "ca=" + fingerprint;
}

}  // namespace gw::control
