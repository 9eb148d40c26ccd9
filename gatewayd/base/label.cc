// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/label.h"

#include <algorithm>

namespace gw {

bool is_label(std::string_view text) {
  constexpr size_t kLongest = 63;
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= kLongest && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, allowed);
}

}  // namespace gw
