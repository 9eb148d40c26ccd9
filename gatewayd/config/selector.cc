// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/selector.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

#include "gatewayd/config/edit.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

using Kind = Selector::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kZones{
    {{"any", Kind::any}, {"vpn", Kind::vpn}, {"internet", Kind::internet}, {"gateway", Kind::gateway}}};
constexpr std::array<std::pair<std::string_view, Kind>, 4> kNamed{
    {{"subnet", Kind::subnet}, {"group", Kind::group}, {"client", Kind::client}, {"site", Kind::site}}};
constexpr std::string_view kAllowed =
    "any, vpn, internet, gateway, subnet:NAME, group:NAME, client:NAME, site:NAME, or a prefix such as 10.1.0.0/16";

std::expected<Selector, std::string> named_selector(std::string_view text, size_t colon) {
  const std::string_view word = text.substr(0, colon);
  const std::string_view name = text.substr(colon + 1);
  for (const auto& [known, kind] : kNamed) {
    if (word != known) continue;
    if (const auto why = why_no_label(name)) return std::unexpected(fmt::format("'{}' names nothing: {}", text, *why));
    return Selector{kind, std::string(name), {}};
  }
  return std::unexpected(fmt::format("'{}' is no zone; use {}", text, kAllowed));
}

std::expected<Selector, std::string> prefix_selector(std::string_view text) {
  if (const auto prefix = Prefix::parse(text)) {
    if (auto why = why_no_address(prefix->address)) return std::unexpected(std::move(*why));
    return Selector{Kind::prefix, {}, *prefix};
  }
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto length = slash == std::string_view::npos ? std::nullopt : parse_number(text.substr(slash + 1), 128);
  if (address && length && *length <= static_cast<uint64_t>(address->bits())) {
    return std::unexpected(fmt::format("'{}' has bits set beyond its length; write {}", text,
                                       Prefix::of(*address, static_cast<uint8_t>(*length)).str()));
  }
  return std::unexpected(fmt::format("'{}' is no zone; use {}", text, kAllowed));
}

}  // namespace

std::expected<Selector, std::string> selector_of(std::string_view text) {
  for (const auto& [word, kind] : kZones) {
    if (text == word) return Selector{kind, {}, {}};
  }
  // "group:db" parses as no address, and no address begins with one of the four words and a colon.
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && !Prefix::parse(text) && text.find("::") == std::string_view::npos)
    return named_selector(text, colon);
  return prefix_selector(text);
}

Result<Selector> parse_selector(std::string_view text) {
  auto selector = selector_of(text);
  if (!selector) return failure(EINVAL, "read zone", std::string(text), selector.error());
  return std::move(*selector);
}

}  // namespace gw::config
