// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"

namespace gw::names {

/// Asks a name server of this host (port 53, UDP) for the address of `name`, to learn whether it serves. ECONNREFUSED:
/// nobody listens there; ETIMEDOUT: no answer within 0.3 s; EPROTO: whoever answers does not know the name. Blocks as
/// long as that.
Result<void> ask(const IpAddress& server, const std::string& name);

}  // namespace gw::names
