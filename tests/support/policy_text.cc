// SPDX-License-Identifier: Apache-2.0
#include "tests/support/policy_text.h"

#include <charconv>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gw::test {
namespace {

using config::Selector;
using config::Service;

[[noreturn]] void refuse(std::string_view what, std::string_view text) {
  throw std::invalid_argument(std::string(what) + ": '" + std::string(text) + "'");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

uint16_t number(std::string_view text) {
  uint16_t out = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (status != std::errc{} || end != text.data() + text.size()) refuse("no number of 16 bits", text);
  return out;
}

IpAddress address(std::string_view text) {
  const auto out = IpAddress::parse(text);
  if (!out) refuse("no address", text);
  return *out;
}

config::Action action(std::string_view text) {
  static const std::map<std::string_view, config::Action> kWords = {
      {"allow", config::Action::allow}, {"deny", config::Action::deny}, {"reject", config::Action::reject}};
  const auto at = kWords.find(text);
  if (at == kWords.end()) refuse("no action", text);
  return at->second;
}

}  // namespace

Selector selector(std::string_view text) {
  using enum Selector::Kind;
  static const std::map<std::string_view, Selector::Kind> kWords = {
      {"any", any}, {"vpn", vpn}, {"internet", internet}, {"gateway", gateway}};
  static const std::map<std::string_view, Selector::Kind> kNamed = {
      {"subnet", subnet}, {"group", group}, {"client", client}, {"site", site}};
  if (const auto at = kWords.find(text); at != kWords.end()) return {.kind = at->second, .name = {}, .prefix = {}};
  const size_t colon = text.find(':');
  if (const auto at = kNamed.find(text.substr(0, colon)); at != kNamed.end()) {
    return {.kind = at->second, .name = std::string(text.substr(colon + 1)), .prefix = {}};
  }
  const auto block = Prefix::parse(text);
  if (!block) refuse("no selector", text);
  return {.kind = prefix, .name = {}, .prefix = *block};
}

Service service(std::string_view text) {
  using enum Service::Kind;
  static const std::map<std::string_view, Service::Kind> kWords = {
      {"any", any}, {"tcp", tcp}, {"udp", udp}, {"icmp", icmp}, {"proto", protocol}};
  const size_t slash = text.find('/');
  const auto at = kWords.find(text.substr(0, slash));
  if (at == kWords.end()) refuse("no service", text);
  Service out{.kind = at->second};
  if (slash == std::string_view::npos) return out;
  const std::string_view keys = text.substr(slash + 1);
  const size_t dash = keys.find('-');
  out.first = number(keys.substr(0, dash));
  out.last = dash == std::string_view::npos ? out.first : number(keys.substr(dash + 1));
  if (out.kind == icmp) {  // a type, with all its codes
    out.first = static_cast<uint16_t>(out.first << 8U);
    out.last = static_cast<uint16_t>(out.last << 8U | 0xffU);
  }
  return out;
}

config::Rule rule(std::string_view name, std::string_view text) {
  std::vector<std::string> words = split(text, ' ');
  config::Rule out;
  out.name = name;
  if (!words.empty() && words.back() == "log") {
    out.log = true;
    words.pop_back();
  }
  if (words.size() != 5 || words[2] != "->") refuse("no rule", text);
  out.action = action(words[0]);
  for (const std::string& part : split(words[1], ',')) out.from.push_back(selector(part));
  for (const std::string& part : split(words[3], ',')) out.to.push_back(selector(part));
  for (const std::string& part : split(words[4], ',')) out.services.push_back(service(part));
  return out;
}

policy::Packet packet(std::string_view text) {
  const std::vector<std::string> words = split(text, ' ');
  if (words.size() != 4 || words[1] != "->") refuse("no packet", text);
  const Service wanted = service(words[3]);
  if (wanted.kind == Service::Kind::any) refuse("a packet has one kind", text);
  return {.source = address(words[0]), .destination = address(words[2]), .kind = wanted.kind, .key = wanted.first};
}

}  // namespace gw::test
