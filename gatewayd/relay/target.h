// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The resource of connect-udp, by the default template of RFC 9298 §2: /.well-known/masque/udp/{host}/{port}/.
namespace gw::relay {

inline constexpr std::string_view kResource = "/.well-known/masque/udp/";
inline constexpr std::string_view kUpgrade = "connect-udp";  ///< token of the Upgrade field (RFC 9298 §8.1)

struct Target {
  std::string host;  ///< as it was sent, in lower case; an IPv6 address without brackets
  uint16_t port = 0;
  bool operator==(const Target&) const = default;
};

/// The path for a target, percent-encoded where it has to be.
std::string path_of(const Target& target);
/// nullopt for a path that is none of this resource, or names no port from 1 to 65535.
std::optional<Target> target_of(std::string_view path);
/// "vpn.contoso.example:51820", "[2001:db8::1]:51820".
std::optional<Target> parse_target(std::string_view endpoint);

}  // namespace gw::relay
