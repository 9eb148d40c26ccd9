// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/config.h"

#include <fmt/format.h>

namespace gw::config {
namespace {

/// "443", "1000-2000".
std::string range(unsigned first, unsigned last) {
  return first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
}

std::string icmp_text(unsigned first, unsigned last) {
  if ((first & 0xffU) == 0 && (last & 0xffU) == 0xffU) return "icmp/" + range(first >> 8U, last >> 8U);
  return fmt::format("icmp/{}/{}", first >> 8U, range(first & 0xffU, last & 0xffU));
}

}  // namespace

std::string Selector::str() const {
  switch (kind) {
    case Kind::any:
      return "any";
    case Kind::vpn:
      return "vpn";
    case Kind::internet:
      return "internet";
    case Kind::gateway:
      return "gateway";
    case Kind::subnet:
      return "subnet:" + name;
    case Kind::group:
      return "group:" + name;
    case Kind::client:
      return "client:" + name;
    case Kind::site:
      return "site:" + name;
    case Kind::prefix:
      break;
  }
  return prefix.str();
}

std::string Service::str() const {
  const bool whole = first == 0 && last == 0xffff;
  switch (kind) {
    case Kind::tcp:
      return whole ? "tcp" : "tcp/" + range(first, last);
    case Kind::udp:
      return whole ? "udp" : "udp/" + range(first, last);
    case Kind::icmp:
      return whole ? "icmp" : icmp_text(first, last);
    case Kind::protocol:
      return "proto/" + range(first, last);
    case Kind::any:
      break;
  }
  return "any";
}

std::string Endpoint::str() const {
  const bool bracket = host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(bracket ? "[{}]:{}" : "{}:{}"), host, port);
}

}  // namespace gw::config
