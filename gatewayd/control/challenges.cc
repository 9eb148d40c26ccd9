// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/challenges.h"

#include <algorithm>
#include <cerrno>

#include "gatewayd/base/base64.h"

namespace gw::control {
namespace {

constexpr const char* kProve = "prove the WireGuard key";
constexpr UnixSeconds kShown = 60;
constexpr UnixSeconds kTaken = 60;  // after it is shown no more

struct Proof {
  std::array<uint8_t, pki::kNonceSize> nonce{};
  std::string mac;
};

std::optional<Proof> parse(const std::string& text) {
  const size_t blank = text.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  const auto nonce = base64_decode(std::string_view(text).substr(0, blank));
  auto mac = base64_decode(std::string_view(text).substr(blank + 1));
  if (!nonce || !mac || nonce->size() != pki::kNonceSize || mac->size() != pki::kProofSize) return std::nullopt;
  Proof out{.nonce = {}, .mac = std::move(*mac)};
  std::ranges::copy(*nonce, out.nonce.begin());
  return out;
}

}  // namespace

Result<Challenges::Asked> Challenges::current(UnixSeconds now) {
  if (!current_ || now < current_->made || now - current_->made >= kShown) {
    auto keys = pki::generate_wireguard_keys();
    if (!keys) return std::unexpected(keys.error());
    One fresh{.keys = *keys, .challenge = {.public_key = keys->public_key, .nonce = {}}, .made = now};
    std::ranges::copy(pki::random_bytes(pki::kNonceSize), fresh.challenge.nonce.begin());
    before_ = std::move(current_);
    current_ = std::move(fresh);
  }
  return Asked{current_->challenge, static_cast<uint32_t>(current_->made + kShown + kTaken - now)};
}

Result<void> Challenges::check(const std::string& proof, const PublicKey& wireguard, const std::string& request_der,
                               UnixSeconds now) {
  const auto given = parse(proof);
  if (!given) return failure(EINVAL, kProve, {}, "give nonce and MAC in base64 with a blank between");
  for (const auto* one : {&current_, &before_}) {
    if (!*one || (*one)->challenge.nonce != given->nonce || now - (*one)->made >= kShown + kTaken) continue;
    return pki::check_proof((*one)->keys.secret, given->nonce, wireguard, request_der, given->mac);
  }
  return failure(ETIMEDOUT, kProve, {}, "the challenge is none of the last two minutes; ask for a new one");
}

}  // namespace gw::control
