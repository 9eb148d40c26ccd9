// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gw {

/// The candidate that `word` was probably meant to be: the smallest Damerau-Levenshtein distance (a swap of neighbours
/// is one step), at most a third of the word's length and at least 1. nullopt when none is that near. Case is ignored.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'interface'?" or nothing: to be appended to a sentence.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace gw
