// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bpf/image.h"
#include "gatewayd/base/result.h"
#include "gatewayd/policy/classes.h"

namespace gw::policy {

/// Fills `pairs` and `nodes` of the image: for each source the classes whose table differs from what most of its
/// destinations have. `tables` has the rules of `rules`, by position; the rules of `classes` are filled in. Work and
/// memory are in proportion to the pairs made, and it stops where the image passes `budget_bytes`: E2BIG names the
/// rules that cost most.
Result<void> make_pairs(std::span<const Class> classes, std::span<const JudgedRule> rules, RuleTables& tables,
                        size_t budget_bytes, bpf::PolicyImage& image);

}  // namespace gw::policy
