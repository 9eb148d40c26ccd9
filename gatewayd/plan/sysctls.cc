// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/plan/parts.h"

/// Kernel: Documentation/networking/ip-sysctl.rst.
namespace gw::plan {
namespace {

std::string setting(const char* family, std::string device, const char* name) {
  std::ranges::replace(device, '.', '/');
  return std::string("net.") + family + ".conf." + device + "." + name;
}

}  // namespace

void want_sysctls(const Intent& intent, Desired& desired) {
  auto& sysctls = desired.sysctls;
  std::set<std::string> ours = subnet_devices(intent.config);
  ours.insert(intent.config.vpn.interface);
  for (const std::string& device : ours) {
    sysctls[setting("ipv4", device, "send_redirects")] = "0";
    // Loose: policy knows the source of every packet better than the routing table; strict would break asymmetric
    // subnets. The stricter number of `all` and the device's own counts (max), and loose is the greatest.
    sysctls[setting("ipv4", device, "rp_filter")] = "2";
  }
  // Redirects are sent when `all` or the device says so. Foreign devices keep their own 1.
  sysctls[setting("ipv4", "all", "send_redirects")] = "0";
  // Forwarding turns accept_ra=1 off, and with it a default route that came by router advertisement.
  sysctls[setting("ipv6", intent.config.public_side.interface, "accept_ra")] = "2";
  sysctls["net.ipv4.ip_forward"] = "1";
  sysctls["net.ipv6.conf.all.forwarding"] = "1";
}

}  // namespace gw::plan
