// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "gatewayd/config/config.h"

/// When one part of a rule matches everything another does. "No" may also mean "not certain".
namespace gw::config {

enum class Side : uint8_t { source, destination };

/// Prefixes of a subnet or site; nullptr for other kinds and unknown names.
const std::vector<Prefix>* prefixes_of(const Config& config, const Selector& selector);

bool covers(const Config& config, Side side, const Selector& wide, const Selector& narrow);
bool covers(std::span<const Service> wide, const Service& narrow);

}  // namespace gw::config
