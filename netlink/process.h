// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/result.h"

namespace gw::nl {

/// What a finished program left behind.
struct Finished {
  int status = 0;  ///< exit status; 128 + signal number when a signal ended it
  std::string out;
  std::string error;
};

/// Runs a program found in PATH, without a shell, feeds it `input` and waits for its end. The child gets an empty
/// signal mask, default signal handling, LC_ALL=C, its own session, and none of our file descriptors. ENOENT when there
/// is no such program; ETIMEDOUT when it has not ended by `limit` (it is then killed). A status other than 0 is no
/// error here. Blocks. Any thread.
Result<Finished> run_program(const std::vector<std::string>& arguments, std::string_view input = {},
                             std::chrono::milliseconds limit = std::chrono::seconds(30));

}  // namespace gw::nl
