// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "gatewayd/config/edit.h"
#include "gatewayd/config/selector.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

using Kind = Service::Kind;
using Services = std::vector<Service>;
using Parsed = std::expected<Services, std::string>;

constexpr uint16_t kMaxKey = 0xffff;

Service tcp(uint16_t port) { return {Kind::tcp, port, port}; }
Service udp(uint16_t port) { return {Kind::udp, port, port}; }
Service protocol(uint16_t number) { return {Kind::protocol, number, number}; }
Service icmp_types(uint64_t first, uint64_t last) {
  return {Kind::icmp, static_cast<uint16_t>(first << 8U), static_cast<uint16_t>(last << 8U | 0xffU)};
}

/// "443" or "1000-2000", both ends within min..max.
std::optional<std::pair<uint64_t, uint64_t>> parse_range(std::string_view text, uint64_t min, uint64_t max) {
  const size_t dash = text.find('-');
  const auto first = parse_number(text.substr(0, dash), max);
  const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1), max);
  if (!first || !last || *first < min || *first > *last) return std::nullopt;
  return std::pair{*first, *last};
}

Parsed parse_ports(Kind kind, std::string_view text, std::string_view ports) {
  const auto range = parse_range(ports, 1, kMaxKey);
  if (!range)
    return std::unexpected(fmt::format(
        "'{}' is no port or range of ports; write tcp/443 or udp/1000-2000, from 1 to 65535, the lower first", text));
  return Services{{kind, static_cast<uint16_t>(range->first), static_cast<uint16_t>(range->second)}};
}

Parsed parse_icmp(std::string_view text, std::string_view rest) {
  const size_t slash = rest.find('/');
  const auto types = parse_range(rest.substr(0, slash), 0, 0xff);
  if (slash == std::string_view::npos && types) return Services{icmp_types(types->first, types->second)};
  const auto code = slash == std::string_view::npos ? std::nullopt : parse_number(rest.substr(slash + 1), 0xff);
  if (!types || types->first != types->second || !code) {
    return std::unexpected(
        fmt::format("'{}' is no ICMP type; write icmp, icmp/TYPE or icmp/TYPE/CODE, each from 0 to 255", text));
  }
  const auto key = static_cast<uint16_t>(types->first << 8U | *code);
  return Services{{Kind::icmp, key, key}};
}

Parsed parse_protocol(std::string_view text, std::string_view rest) {
  const auto number = parse_number(rest, 0xff);
  if (!number) return std::unexpected(fmt::format("'{}' is no IP protocol; write proto/NUMBER, from 0 to 255", text));
  // These carry keys of their own: as a bare protocol number they would match nothing.
  constexpr std::pair<uint64_t, std::string_view> kOwnWord[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"}, {58, "icmp"}};
  for (const auto& [own, word] : kOwnWord) {
    if (*number == own) return std::unexpected(fmt::format("'{}' has a word of its own; write {}", text, word));
  }
  return Services{protocol(static_cast<uint16_t>(*number))};
}

Parsed unknown(std::string_view text, const std::map<std::string, Services>& named) {
  std::vector<std::string_view> known;
  known.reserve(named.size() + built_in_services().size());
  for (const auto& [name, unused] : named) known.push_back(name);
  for (const auto& [name, unused] : built_in_services()) known.push_back(name);
  return std::unexpected(fmt::format("unknown service '{}' (tcp/PORT, udp/PORT, icmp/TYPE, proto/NUMBER or a name){}",
                                     text, hint(text, known)));
}

}  // namespace

const std::map<std::string, Services>& built_in_services() {
  static const std::map<std::string, Services> kServices{
      {"any", {{Kind::any, 0, kMaxKey}}},
      {"tcp", {{Kind::tcp, 0, kMaxKey}}},
      {"udp", {{Kind::udp, 0, kMaxKey}}},
      {"icmp", {{Kind::icmp, 0, kMaxKey}}},
      // Echo request: type 8 in ICMP, 128 in ICMPv6 (RFC 792, RFC 4443 §4.1).
      {"ping", {icmp_types(8, 8), icmp_types(128, 128)}},
      {"dns", {tcp(53), udp(53)}},
      {"esp", {protocol(50)}},
      {"gre", {protocol(47)}},
      {"http", {tcp(80)}},
      {"https", {tcp(443)}},
      {"imaps", {tcp(993)}},
      {"kerberos", {tcp(88), udp(88)}},
      {"ldap", {tcp(389), udp(389)}},
      {"ldaps", {tcp(636)}},
      {"mssql", {tcp(1433)}},
      {"mysql", {tcp(3306)}},
      {"nfs", {tcp(2049)}},
      {"ntp", {udp(123)}},
      {"postgresql", {tcp(5432)}},
      {"rdp", {tcp(3389), udp(3389)}},
      {"redis", {tcp(6379)}},
      {"smb", {tcp(445)}},
      {"smtp", {tcp(25)}},
      {"snmp", {udp(161)}},
      {"ssh", {tcp(22)}},
      {"submission", {tcp(587)}},
      {"syslog", {tcp(514), udp(514)}},
      {"vnc", {tcp(5900)}},
      {"winrm", {{Kind::tcp, 5985, 5986}}},
  };
  return kServices;
}

bool is_service_word(std::string_view name) {
  constexpr std::string_view kWords[] = {"any", "tcp", "udp", "icmp", "proto"};
  return std::find(std::begin(kWords), std::end(kWords), name) != std::end(kWords);
}

Parsed services_of(std::string_view text, const std::map<std::string, Services>& named) {
  const std::string name(text);
  if (const auto found = named.find(name); found != named.end()) return found->second;
  if (const auto found = built_in_services().find(name); found != built_in_services().end()) return found->second;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return unknown(text, named);
  const std::string_view word = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  if (word == "tcp") return parse_ports(Kind::tcp, text, rest);
  if (word == "udp") return parse_ports(Kind::udp, text, rest);
  if (word == "icmp") return parse_icmp(text, rest);
  if (word == "proto") return parse_protocol(text, rest);
  return unknown(text, named);
}

Result<Services> parse_service(std::string_view text, const std::map<std::string, Services>& named) {
  auto services = services_of(text, named);
  if (!services) return failure(EINVAL, "read service", std::string(text), services.error());
  return std::move(*services);
}

}  // namespace gw::config
