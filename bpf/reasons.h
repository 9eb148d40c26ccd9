// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "bpf/abi.h"

namespace gw::bpf {

/// The words for enum gw_reason, from the one list in abi.h.
inline constexpr std::array<std::string_view, GW_REASON_COUNT> kReasonTexts = {
#define GW_X(name, text) text,
    GW_REASONS(GW_X)
#undef GW_X
};

}  // namespace gw::bpf
