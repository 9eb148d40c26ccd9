// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw::connect {

/// A machine on the internet and a port of it.
struct HostPort {
  std::string host;  ///< an address (IPv6 without brackets) or a name in lower case
  uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
  [[nodiscard]] std::string str() const;  ///< IPv6 in brackets
};

/// "host:port", "[2001:db8::1]:443". Without a port `default_port` stands, unless that is 0. nullopt for what is no
/// host name (RFC 1123, at most 253 characters) and no address, and for port 0.
std::optional<HostPort> parse_host_port(std::string_view text, uint16_t default_port);

}  // namespace gw::connect
