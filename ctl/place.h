// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/outcome.h"

/// What flows and verdicts have in common: protocol, source and destination, as ListFlows and Watch tell them.
namespace gw::ctl {

std::string protocol_of(const Json& flow);  ///< "tcp", "icmp/8/0"
std::string source_of(const Json& flow);    ///< "172.16.201.3:40000", "[fd00::3]:40000", "172.16.201.3"
std::string destination_of(const Json& flow);

}  // namespace gw::ctl
