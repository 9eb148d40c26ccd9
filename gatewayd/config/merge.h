// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gatewayd/config/diagnostics.h"
#include "gatewayd/config/yaml.h"

namespace gw::config {

/// Reports every key that a map of one file has twice, at any depth, and keeps the first.
void drop_repeated_keys(Diagnostics& diagnostics, YamlNode& node);

/// One tree out of those of all files, each without repeated keys. Maps are joined down to the keys that an operator
/// writes in one piece (a subnet, a value of `gateway:`), lists at the top level are appended. A key that stands in two
/// files stays in the tree twice, for the reader to report both places.
YamlNode merge(std::vector<YamlNode> trees);

}  // namespace gw::config
