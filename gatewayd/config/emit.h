// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gatewayd/config/yaml.h"

namespace gw::config {

/// The tree as tidy YAML: a line for each section, a line for each thing in it. Comments of `original`, the text that
/// the tree was parsed from, stay above the thing they stood above or beside; `original` may be empty. Nodes that are
/// new have line 0 in their marks. Parsing the result gives the same tree again.
std::string emit(const YamlNode& root, std::string_view original);

}  // namespace gw::config
