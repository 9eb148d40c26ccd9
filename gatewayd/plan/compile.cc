// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/plan/parts.h"

namespace gw::plan {

std::set<std::string> subnet_devices(const config::Config& config) {
  std::set<std::string> devices;
  for (const auto& [name, subnet] : config.subnets) devices.insert(subnet.device());
  return devices;
}

Result<Desired> compile(const Intent& intent, policy::Interner& interner) {
  Desired desired;
  want_links(intent, desired);
  want_peers(intent, desired);
  if (auto done = want_policy(intent, interner, desired); !done) return std::unexpected(done.error());
  want_fast_path(intent, desired);
  want_guard(intent, desired);
  want_frame(intent, desired);
  want_sysctls(intent, desired);
  return desired;
}

}  // namespace gw::plan
