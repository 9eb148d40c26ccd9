// SPDX-License-Identifier: Apache-2.0
#include "ctl/place.h"

#include <fmt/format.h>

#include "ctl/fields.h"

namespace gw::ctl {
namespace {

std::string place(const std::string& address, uint64_t port) {
  if (port == 0) return address;
  const bool bracket = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", bracket ? "[" : "", address, bracket ? "]" : "", port);
}

}  // namespace

std::string protocol_of(const Json& flow) {
  const std::string icmp = text(flow, "icmp");
  return text(flow, "protocol") + (icmp.empty() ? "" : "/" + icmp);
}

std::string source_of(const Json& flow) { return place(text(flow, "source"), number(flow, "source_port")); }

std::string destination_of(const Json& flow) {
  return place(text(flow, "destination"), number(flow, "destination_port"));
}

}  // namespace gw::ctl
