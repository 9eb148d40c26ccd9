// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/bpf/programs/world.h"

namespace gw::test {

/// What LoadedPolicy::with_rules installs.
struct CompiledRules {
  bpf::PolicyImage image;
  bpf::Hosts hosts;
  std::map<Device, bpf::Link> links;
};
CompiledRules compile_rules(const std::vector<std::string>& rules);

}  // namespace gw::test
