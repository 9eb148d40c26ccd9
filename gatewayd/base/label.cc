// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/label.h"

#include <algorithm>
#include <ranges>
#include <string>

namespace gw {

bool is_label(std::string_view text) {
  constexpr size_t kLongest = 63;
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= kLongest && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, allowed);
}

bool is_host_name(std::string_view text) {
  constexpr size_t kLongest = 253;
  if (text.size() > kLongest) return false;
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return std::ranges::all_of(
             std::views::split(lower, '.'),
             [](const auto& label) { return is_label(std::string_view(label.begin(), label.end())); }) &&
         !lower.empty();
}

}  // namespace gw
