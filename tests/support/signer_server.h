// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/process.h"

namespace gw::test {

/// A real gatewayd-signer with its socket beside `directory`; ends with the object.
class SignerServer {
 public:
  /// `binaries`: where the programs are.
  SignerServer(const std::string& binaries, const std::string& directory);
  [[nodiscard]] const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  Process process_;
};

}  // namespace gw::test
