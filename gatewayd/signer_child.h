// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/result.h"

namespace gw {

/// A signer of gatewayd's own, where no service manager runs one: a child that ends with this process. It listens at
/// `socket`, which is made here, 0600. One thread.
class SignerChild {
 public:
  SignerChild() = default;
  SignerChild(const SignerChild&) = delete;
  SignerChild& operator=(const SignerChild&) = delete;
  ~SignerChild();

  /// Listens; the first `ready` starts the program.
  Result<void> open(const std::string& socket, const std::string& directory);
  /// Starts it when it does not run. ENOENT: the program gatewayd-signer is not there.
  Result<void> ready();

 private:
  std::string directory_;
  UniqueFd listening_;
  pid_t pid_ = -1;
};

}  // namespace gw
