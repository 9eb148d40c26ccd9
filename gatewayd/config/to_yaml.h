// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "gatewayd/config/config.h"
#include "gatewayd/config/yaml.h"

/// Values as the YAML that `load` reads them from; what has its default is left out. Marks have line 0.
namespace gw::config {

YamlNode to_yaml(const Subnet& subnet);
YamlNode to_yaml(const Group& group);
YamlNode to_yaml(const Rule& rule, const std::optional<std::string>& before, const std::optional<std::string>& after);
YamlNode to_yaml(const Site& site);

}  // namespace gw::config
