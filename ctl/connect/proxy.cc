// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/proxy.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "gatewayd/base/ip.h"
#include "gatewayd/pki/pki.h"

namespace gw::connect {
namespace {

constexpr uint16_t kUsualPort = 3128;
constexpr const char* kRead = "read the proxy's address";

/// RFC 3986 §2.1.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    uint8_t byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || stop != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    at += 2;
  }
  return out;
}

std::string encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<uint8_t>(c);
    if (plain)
      out += c;
    else
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool covers(std::string_view entry, std::string_view host) {
  if (entry.empty()) return false;
  if (entry == "*") return true;
  const auto address = IpAddress::parse(host);
  if (address) {
    const auto prefix = Prefix::parse(std::string(entry));
    const auto same = IpAddress::parse(entry);
    return (prefix && prefix->contains(*address)) || (same && *same == *address);
  }
  if (entry.starts_with('.')) entry.remove_prefix(1);
  return host == entry ||
         (host.size() > entry.size() && host.ends_with(entry) && host[host.size() - entry.size() - 1] == '.');
}

const char* first_of(const char* a, const char* b) {
  const char* value = std::getenv(a);
  return value != nullptr ? value : std::getenv(b);
}

}  // namespace

Proxy::~Proxy() { pki::wipe(credentials); }

Result<Proxy> parse_proxy(std::string_view url) {
  std::string_view rest = url;
  if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    if (rest.substr(0, scheme) != "http")
      return failure(ENOTSUP, kRead, {}, "it has to begin with http://: that is how the proxy itself is spoken with");
    rest.remove_prefix(scheme + 3);
  }
  rest = rest.substr(0, rest.find('/'));
  Proxy out;
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    auto credentials = decode(rest.substr(0, at));
    if (!credentials || !credentials->contains(':') || credentials->find_first_of("\r\n") != std::string::npos)
      return failure(EINVAL, kRead, {}, "before the '@' stands NAME:PASSWORD, what is special in them as %XX");
    out.credentials = std::move(*credentials);
    rest.remove_prefix(at + 1);
  }
  const auto server = parse_host_port(rest, kUsualPort);
  if (!server) return failure(EINVAL, kRead, {}, "it is no http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT");
  out.server = *server;
  return out;
}

std::string proxy_url(const Proxy& proxy) {
  const size_t colon = proxy.credentials.find(':');
  std::string out = "http://";
  if (colon != std::string::npos)
    out += encode(proxy.credentials.substr(0, colon)) + ":" + encode(proxy.credentials.substr(colon + 1)) + "@";
  return out + proxy.server.str();
}

bool is_exempt(std::string_view list, std::string_view host) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (covers(trim(list.substr(0, comma)), host)) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

Result<std::optional<Proxy>> proxy_of_environment(const HostPort& server) {
  const char* url = first_of("https_proxy", "HTTPS_PROXY");
  if (url == nullptr || *url == '\0') return std::nullopt;
  const char* exempt = first_of("no_proxy", "NO_PROXY");
  if (exempt != nullptr && is_exempt(exempt, server.host)) return std::nullopt;
  auto proxy = parse_proxy(url);
  if (!proxy) return std::unexpected(proxy.error());
  return std::move(*proxy);
}

}  // namespace gw::connect
