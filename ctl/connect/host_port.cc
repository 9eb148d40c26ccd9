// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/host_port.h"

#include <charconv>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/label.h"

namespace gw::connect {
namespace {

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  // No leading zeros: one port has one spelling.
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || text.front() == '0') return std::nullopt;
  return port;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// What ends in a number is meant as an address, and was none.
bool is_name(std::string_view text) {
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return is_host_name(text) && last.find_first_not_of("0123456789") != std::string_view::npos;
}

std::optional<std::string> parse_host(std::string_view text, bool brackets) {
  const auto address = IpAddress::parse(text);
  if (address && (address->family == Family::v6) == brackets) return address->str();
  if (brackets || address) return std::nullopt;
  return is_name(text) ? std::optional(lower(text)) : std::nullopt;
}

}  // namespace

std::string HostPort::str() const {
  return (host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<HostPort> parse_host_port(std::string_view text, uint16_t default_port) {
  const bool brackets = text.starts_with('[');
  std::string_view name = text;
  std::string_view rest;
  if (brackets) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    name = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    name = text.substr(0, colon);
    rest = text.substr(colon);
  }
  const auto host = parse_host(name, brackets);
  if (!host) return std::nullopt;
  if (rest.empty()) return default_port == 0 ? std::nullopt : std::optional(HostPort{*host, default_port});
  const auto port = rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port) return std::nullopt;
  return HostPort{*host, *port};
}

}  // namespace gw::connect
