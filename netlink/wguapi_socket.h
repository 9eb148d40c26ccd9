// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "gatewayd/base/result.h"
#include "netlink/wireguard.h"

namespace gw::nl {

/// Where a userspace implementation listens: /var/run/wireguard/NAME.sock.
[[nodiscard]] std::string uapi_path(const std::string& device);

/// `get=1` over the device's socket, with the public key derived. ENOENT or ECONNREFUSED when nobody listens;
/// ETIMEDOUT.
Result<WgDevice> uapi_get(const std::string& device);
/// One `set=1` transaction over the device's socket. Errors as above, and those wireguard-go answers.
Result<void> uapi_set(const std::string& device, const WgChange& change);

/// Waits until the device's socket file is there (or gone); ETIMEDOUT. The directory must exist.
Result<void> wait_for_uapi_socket(const std::string& device, bool present, std::chrono::milliseconds limit);

}  // namespace gw::nl
