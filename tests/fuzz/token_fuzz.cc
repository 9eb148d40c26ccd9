// SPDX-License-Identifier: Apache-2.0
// Invitations on both sides: the link that a person pastes, the token that the gateway is sent, and the proof beside
// it. What one side accepts the other knows, and nothing is a proof of anything.
#include <cerrno>
#include <cstdlib>

#include "ctl/connect/join_link.h"
#include "gatewayd/base/base64.h"
#include "gatewayd/control/challenges.h"
#include "gatewayd/control/invitation.h"

namespace {

constexpr gw::UnixSeconds kNow = 1'800'000'000;

void read_link(std::string_view text) {
  const auto link = gw::connect::parse_join_link(text);
  if (!link) {
    if (link.error().code != EINVAL || link.error().detail.empty()) std::abort();
    return;
  }
  if (!gw::control::hash_of_token(link->token.text)) std::abort();
  const std::string made =
      gw::control::join_link(link->server.host, link->server.port, link->token.text, link->fingerprint);
  const auto again = gw::connect::parse_join_link(made);
  if (!again || again->server != link->server || again->fingerprint != link->fingerprint) std::abort();
}

/// What stands behind "Basic " in a request: the token, and that in upper case, have one hash.
void read_token(const std::string& text) {
  const auto hash = gw::control::hash_of_token(text);
  if (!hash) return;
  std::string upper = text;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (text.size() != 26 || gw::control::hash_of_token(upper) != hash) std::abort();
}

void read_proof(const std::string& text) {
  static const auto keys = gw::pki::generate_wireguard_keys();
  static gw::control::Challenges challenges;
  static const auto asked = challenges.current(kNow);
  if (challenges.check(text, keys->public_key, "request", kNow)) std::abort();
  // A nonce that is right, so that the rest is looked at too.
  const std::string known = gw::base64(asked->challenge.nonce) + " ";
  if (challenges.check(known + text, keys->public_key, "request", kNow)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  read_link(text);
  read_token(text);
  if (const auto plain = gw::base64_decode(text)) read_token(plain->substr(plain->find(':') + 1));
  read_proof(text);
  return 0;
}
