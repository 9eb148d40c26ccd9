// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "gatewayd/base/result.h"
#include "gatewayd/policy/classes.h"

namespace gw::policy {

/// E2BIG, with what an operator can do about it: the rules that match most pairs of classes, by name.
std::unexpected<Error> over_budget(std::span<const Class> classes, std::span<const JudgedRule> rules,
                                   size_t budget_bytes);

}  // namespace gw::policy
