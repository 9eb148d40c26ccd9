// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/result.h"

namespace gw::apply {

/// Settings below /proc/sys of the current network namespace, by the names of plan::KernelState::sysctls.
Result<std::string> read_sysctl(const std::string& name);  ///< without the newline; ENOENT when there is none
Result<void> write_sysctl(const std::string& name, const std::string& value);

/// Nothing passes between interfaces any more, whatever filters it.
Result<void> stop_forwarding();

/// Whether the kernel has IPv6 settings at all: not when it was booted with ipv6.disable=1.
bool has_ipv6_sysctls();

}  // namespace gw::apply
