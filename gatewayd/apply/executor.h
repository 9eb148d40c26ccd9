// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gatewayd/apply/kernel.h"

namespace gw::apply {

/// What was really done, a line (plan::describe) each.
struct Execution {
  std::vector<std::string> done;
  std::vector<Error> errors;          ///< one for each failure, none for what was left out because of it
  std::vector<std::string> not_done;  ///< what failed, and what a failure before it forbids
};

/// Does a plan, operation by operation, and goes on after a failure with all that does not depend on it:
///  - a device that could not be made, or is missing, takes its own operations with it and nothing else;
///  - without the frame or the policy nothing is brought up and forwarding stays as it is (fail closed);
///  - a device whose program could not be attached is not brought up.
Execution execute(Kernel& kernel, const plan::Plan& plan, const plan::Desired& desired, const SecretKey& key);

}  // namespace gw::apply
