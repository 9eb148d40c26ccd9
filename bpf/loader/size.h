// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "gatewayd/base/result.h"

struct gw_policy;

namespace gw::bpf {

/// How many entries a table gets that has `full` of them on a machine with plenty of memory: a half below 3 GiB, a
/// quarter below 1.5 GiB, an eighth below 768 MiB. The kernel takes the memory of these tables when they are made.
uint32_t entries_for(uint32_t full, uint64_t memory_bytes);

/// Sizes the tables whose entries packets make (flows, fragments, rates of sources) before `skeleton` is loaded: by the
/// memory of this machine, or as what is pinned in `pin_directory` has it, since flows outlive a change of the memory.
/// What the configuration fills (hosts, rules, clients) keeps its size, to which its limits are told.
Result<void> size_tables(gw_policy& skeleton, const std::string& pin_directory);

}  // namespace gw::bpf
