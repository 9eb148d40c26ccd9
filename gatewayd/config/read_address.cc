// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/base/label.h"
#include "gatewayd/config/reader.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool bracketed = false;
};

/// nullopt for what cannot be taken apart, among it an IPv6 address without brackets.
std::optional<HostPort> split(std::string_view text) {
  HostPort out;
  size_t end = text.find(':');
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    out.bracketed = true;
    out.host = text.substr(1, bracket - 1);
    end = bracket + 1;
    if (end < text.size() && text[end] != ':') return std::nullopt;
  } else {
    if (end != std::string_view::npos && text.find(':', end + 1) != std::string_view::npos) return std::nullopt;
    out.host = text.substr(0, end);
  }
  if (end < text.size()) out.port = text.substr(end + 1);
  return out;
}

bool good_host(const HostPort& parts) {
  const auto address = IpAddress::parse(parts.host);
  if (parts.bracketed) return address && address->family == Family::v6;
  if (address) return address->family == Family::v4;
  // An address with a mistake in it must not pass as a name: no top-level domain is all digits (RFC 3696 §2).
  const std::string_view last = parts.host.substr(parts.host.rfind('.') + 1);
  return is_host_name(parts.host) && !parse_number(last, UINT64_MAX);
}

std::string explain_prefix(const std::string& text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(std::string_view(text).substr(0, slash));
  if (!address || slash == std::string::npos)
    return fmt::format("'{}' is not a prefix; write one such as 10.1.2.0/24 or \"fd00:1::/64\"", text);
  const auto length = parse_number(std::string_view(text).substr(slash + 1), static_cast<uint64_t>(address->bits()));
  if (!length) return fmt::format("'{}' has no valid length; it goes from 1 to {}", text, address->bits());
  return fmt::format("'{}' has bits set beyond its length; write {}", text,
                     Prefix::of(*address, static_cast<uint8_t>(*length)).str());
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, std::optional<uint16_t> default_port) {
  const auto bad = [&](std::string why) { return failure(EINVAL, "read endpoint", std::string(text), std::move(why)); };
  const auto parts = split(text);
  if (!parts || !good_host(*parts)) {
    return bad(
        fmt::format("'{}' is no endpoint; write host.example:51820, 192.0.2.1:51820 or \"[2001:db8::1]:51820\"", text));
  }
  if (!parts->port && !default_port) return bad(fmt::format("'{}' has no port; write {}:51820", text, text));
  const auto port = parts->port ? parse_number(*parts->port, UINT16_MAX) : std::optional<uint64_t>(default_port);
  if (!port || *port == 0)
    return bad(fmt::format("port '{}' is not a whole number from 1 to 65535", parts->port.value_or("0")));
  return Endpoint{std::string(parts->host), static_cast<uint16_t>(*port)};
}

std::optional<Endpoint> read_endpoint(Diagnostics& diagnostics, const YamlNode* node,
                                      std::optional<uint16_t> default_port) {
  const auto text = read_text(diagnostics, node);
  if (!text) return std::nullopt;
  auto endpoint = parse_endpoint(text->text, default_port);
  if (endpoint) return std::move(*endpoint);
  diagnostics.error(text->mark, endpoint.error().detail);
  return std::nullopt;
}

std::vector<PlacedPrefix> read_prefixes(Diagnostics& diagnostics, const YamlNode* node) {
  std::vector<PlacedPrefix> out;
  for (const Text& text : read_texts(diagnostics, node)) {
    const auto prefix = Prefix::parse(text.text);
    if (!prefix) {
      diagnostics.error(text.mark, explain_prefix(text.text));
    } else if (const auto why = why_no_address(prefix->address)) {
      diagnostics.error(text.mark, *why);
    } else if (prefix->length == 0) {
      diagnostics.error(text.mark,
                        fmt::format("{} is a default route; name the prefixes that are really there", prefix->str()));
    } else {
      out.push_back({*prefix, text.mark});
    }
  }
  return out;
}

std::vector<Prefix> values(const std::vector<PlacedPrefix>& prefixes) {
  std::vector<Prefix> out;
  out.reserve(prefixes.size());
  for (const PlacedPrefix& placed : prefixes) out.push_back(placed.prefix);
  return out;
}

std::vector<PlacedAddress> read_addresses(Diagnostics& diagnostics, const YamlNode* node) {
  std::vector<PlacedAddress> out;
  for (const Text& text : read_texts(diagnostics, node)) {
    const auto address = IpAddress::parse(text.text);
    if (!address) {
      diagnostics.error(
          text.mark,
          fmt::format("'{}' is not an address; write one such as 10.1.2.1 or \"fd00:1::1\", without a length",
                      text.text));
    } else if (const auto why = why_no_address(*address)) {
      diagnostics.error(text.mark, *why);
    } else if (std::any_of(out.begin(), out.end(),
                           [&](const PlacedAddress& other) { return other.address == *address; })) {
      diagnostics.error(text.mark, fmt::format("{} is given twice; keep one", address->str()));
    } else {
      out.push_back({*address, text.mark});
    }
  }
  return out;
}

std::vector<IpAddress> values(const std::vector<PlacedAddress>& addresses) {
  std::vector<IpAddress> out;
  out.reserve(addresses.size());
  for (const PlacedAddress& placed : addresses) out.push_back(placed.address);
  return out;
}

}  // namespace gw::config
