// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ctl/connect/profile.h"

struct sd_bus;

namespace gw::connect {

/// systemd-resolved, asked over the system bus (org.freedesktop.resolve1(5)). resolv.conf is never touched: where
/// systemd-resolved does not run, names stay as they are. Blocks for at most five seconds a question; one thread.
class Resolved {
 public:
  /// Gives a device the profile's name servers: for its domain alone, or with a full tunnel for every name that no
  /// other device claims. A profile without any takes them away. ENOTSUP: systemd-resolved, or the system bus, is not
  /// there; EACCES, EIO: it refuses, in its own words.
  Result<void> keep(uint32_t ifindex, const Profile& profile);

  /// Whether the device has name servers there; errors as in `keep`.
  Result<bool> has_servers(uint32_t ifindex);

 private:
  struct Close {
    void operator()(sd_bus* bus) const;
  };
  Result<sd_bus*> bus();
  std::unique_ptr<sd_bus, Close> bus_;
};

}  // namespace gw::connect
