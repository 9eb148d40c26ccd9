// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/revocation.h"

#include <array>
#include <utility>

namespace gw {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 6> kReasons = {{
    {"unspecified", 0},
    {"keyCompromise", 1},
    {"affiliationChanged", 3},
    {"superseded", 4},
    {"cessationOfOperation", 5},
    {"privilegeWithdrawn", 9},
}};

}  // namespace

std::optional<int> revocation_reason(std::string_view name) {
  for (const auto& [known, number] : kReasons) {
    if (known == name) return number;
  }
  return std::nullopt;
}

std::string revocation_reasons() {
  std::string out;
  for (const auto& [known, number] : kReasons) out.append(out.empty() ? "" : ", ").append(known);
  return out;
}

}  // namespace gw
