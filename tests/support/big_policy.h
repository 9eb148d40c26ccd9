// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/compile.h"

/// Large networks for what is measured or counted: groups g0, g1, …, subnets s0 (10.0.0.0/16), s1 (10.1.0.0/16), … on
/// eight devices, clients c0, c1, … from 172.16.0.4 on. The same arguments give the same values.
namespace gw::test {

config::Config big_network(size_t groups, size_t subnets);

/// Each client in `groups_each` groups of the configuration, drawn with repetition.
std::vector<policy::HostFacts> big_clients(const config::Config& config, size_t count, size_t groups_each,
                                           uint64_t seed);

/// Appends `count` rules from a drawn group to a drawn subnet on one drawn TCP port.
void add_group_rules(config::Config& config, size_t count, uint64_t seed);

}  // namespace gw::test
