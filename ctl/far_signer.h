// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/signer/client.h"

namespace gw::ctl {

/// The way to the signer of another machine ("USER@HOST", "USER@HOST:PORT"), through ssh(1), which asks at the terminal
/// for what it needs: it starts `gatewayd-signer --ask socket` there. One connection a question, and no limit in time.
/// Errors: ESRCH, the way did not come about, and what ssh said of it is on stderr.
signer::Way through_ssh(const std::string& host, const std::string& socket);

}  // namespace gw::ctl
