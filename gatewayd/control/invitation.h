// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How a one-time invitation looks. Pure, but for the random numbers.
namespace gw::control {

/// 128 random bits as 26 characters of base32 (RFC 4648 §6, lower case, no padding).
std::string make_token();

/// SHA-256 of what a device sent as its token; nullopt: that is none. Upper case is taken as lower.
std::optional<std::array<uint8_t, 32>> hash_of_token(std::string_view text);

/// The link for a person: "https://NAME[:PORT]/join#token=TOKEN&ca=FINGERPRINT". What stands behind '#' no browser
/// sends and no proxy logs; the fingerprint (SHA-256 of the root's DER, hex) lets the device know the gateway before it
/// says anything. `name`: a host name or an address. An empty token is left out: for devices that have a certificate of
/// a trusted organisation.
std::string join_link(const std::string& name, uint16_t port, const std::string& token, const std::string& fingerprint);

}  // namespace gw::control
