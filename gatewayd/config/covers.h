// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "gatewayd/config/config.h"

/// When one part of a rule matches everything another does. "No" may also mean "not certain".
namespace gw::config {

enum class Side : uint8_t { source, destination };

bool covers(const Config& config, Side side, const Selector& wide, const Selector& narrow);
bool covers(std::span<const Service> wide, const Service& narrow);

}  // namespace gw::config
