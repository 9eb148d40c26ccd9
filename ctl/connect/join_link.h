// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ctl/connect/host_port.h"
#include "ctl/secret.h"
#include "gatewayd/base/result.h"

namespace gw::connect {

/// What an operator hands to a person: where the gateway is, how it is known, and the right to join once.
///   https://NAME[:PORT]/join#token=TOKEN&ca=FINGERPRINT
/// or, for who has a certificate of an organisation that the gateway trusts,
///   https://NAME[:PORT]/join#ca=FINGERPRINT
/// The part after '#' never travels in a request.
struct JoinLink {
  HostPort server;
  std::string fingerprint;  ///< SHA-256 of the root certificate's DER, 64 lower-case hex digits
  ctl::Secret token;        ///< 26 characters of lower-case base32; empty: there is none

  /// By which it is known again, without its token: SHA-256, base64.
  [[nodiscard]] std::string digest() const;
};

/// EINVAL with what is wrong; the text of the token is never in the error.
Result<JoinLink> parse_join_link(std::string_view text);

}  // namespace gw::connect
