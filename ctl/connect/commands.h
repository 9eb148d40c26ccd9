// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/clock.h"

namespace gw::connect {

/// The whole program but for what `main` passes in. Prints; returns the exit code: 0 done (status: all networks are
/// up), 1 not, 2 the command line is wrong.
int run(int argc, const char* const* argv, const Clock& clock, const std::string& version);

}  // namespace gw::connect
