// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "gatewayd/config/load.h"
#include "gatewayd/daemon.h"

namespace gw {

int check_configuration(const std::string& directory) {
  const auto files = config::read_files(directory);
  if (!files) {
    std::fprintf(stderr, "gatewayd: %s\n", files.error().message().c_str());
    return 1;
  }
  const config::Loaded loaded = config::load(*files);
  for (const config::Diagnostic& diagnostic : loaded.diagnostics) {
    std::fprintf(stderr, "%s\n", diagnostic.str().c_str());
  }
  return loaded.ok() ? 0 : 1;
}

}  // namespace gw
