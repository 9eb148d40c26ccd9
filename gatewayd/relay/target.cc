// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/relay/target.h"

#include <charconv>

namespace gw::relay {
namespace {

constexpr size_t kLongestHost = 253;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// RFC 3986 §2.1, in lower case.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += lower(text[at]);
      continue;
    }
    uint8_t byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || stop != digits.data() + 2) return std::nullopt;
    out += lower(static_cast<char>(byte));
    at += 2;
  }
  return out;
}

std::optional<Target> made_of(std::optional<std::string> host, std::string_view port) {
  const auto number = parse_port(port);
  if (!host || host->empty() || host->size() > kLongestHost || !number) return std::nullopt;
  return Target{std::move(*host), *number};
}

}  // namespace

std::string path_of(const Target& target) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out(kResource);
  for (const char c : target.host) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out + "/" + std::to_string(target.port) + "/";
}

std::optional<Target> target_of(std::string_view path) {
  if (!path.starts_with(kResource) || !path.ends_with('/')) return std::nullopt;
  path.remove_prefix(kResource.size());
  path.remove_suffix(path.empty() ? 0 : 1);
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return made_of(decode(path.substr(0, slash)), path.substr(slash + 1));
}

std::optional<Target> parse_target(std::string_view endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = endpoint.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string text;
  for (const char c : host) text += lower(c);
  return made_of(std::move(text), endpoint.substr(colon + 1));
}

}  // namespace gw::relay
