// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "gatewayd/policy/compile.h"

namespace gw::policy {

std::map<std::string, uint32_t> link_ids(const config::Config& config, Interner& interner) {
  std::set<std::string> devices;
  for (const auto& [name, subnet] : config.subnets) devices.insert(subnet.device());
  std::map<std::string, uint32_t> out;
  for (const std::string& device : devices) out[device] = interner.link(device);
  return out;
}

std::string interconnect_rule_name(const std::string& group) { return "group:" + group + " interconnect"; }

}  // namespace gw::policy
