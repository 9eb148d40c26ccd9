// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ctl/connect/keeper.h"
#include "ctl/table.h"

/// What `gwconnect status` prints.
namespace gw::connect {

std::string status_text(const std::vector<Report>& reports, UnixSeconds now, const ctl::Style& style);
std::string status_json(const std::vector<Report>& reports, UnixSeconds now);

}  // namespace gw::connect
