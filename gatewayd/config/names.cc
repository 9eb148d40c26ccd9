// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gw::config {

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::optional<std::string> why_reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kReserved = {"localhost", "wpad", "isatap", "broadcasthost"};
  if (std::ranges::find(kReserved, lower_case(name)) == kReserved.end()) return std::nullopt;
  return fmt::format("'{}' is a name that programs give a meaning of their own", name);
}

std::optional<std::string> why_kept(const Config& config, std::string_view name) {
  if (!config.vpn.dns) return std::nullopt;
  const std::string label = lower_case(name);
  if (auto why = why_reserved(label)) return why;
  if (label == kGatewayLabel || label == lower_case(config.name))
    return fmt::format("{}.{} is the gateway itself", label, config.vpn.dns->domain);
  const auto& endpoint = config.public_side.endpoint;
  if (endpoint && lower_case(endpoint->host) == label + "." + config.vpn.dns->domain)
    return fmt::format("{} is what clients connect to (gateway.public.endpoint)", endpoint->host);
  return std::nullopt;
}

std::optional<std::string> why_taken(const Config& config, std::string_view name) {
  if (!config.vpn.dns) return std::nullopt;
  if (auto why = why_kept(config, name)) return why;
  const std::string label = lower_case(name);
  for (const auto& [subnet_name, subnet] : config.subnets) {
    const auto host = subnet.hosts.find(label);
    if (host != subnet.hosts.end())
      return fmt::format("it is the name of a host of subnet '{}' at {}", subnet_name, host->second.origin.str());
  }
  return std::nullopt;
}

}  // namespace gw::config
