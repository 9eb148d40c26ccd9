// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gatewayd/plan/plan.h"
#include "gatewayd/registry/registry.h"

namespace gw::control {

/// A client of the registry as the kernel has to know it. Only for those that have access.
plan::Client kernel_client(const registry::Client& client);

/// The first second in which `client` has no access any more: a certificate is valid to the end of its last second (RFC
/// 5280 §4.1.2.5).
UnixSeconds access_ends_at(const plan::Client& client);

}  // namespace gw::control
