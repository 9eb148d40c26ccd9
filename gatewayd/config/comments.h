// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gw::config {

struct Comment {
  uint32_t line = 0;   ///< from 1
  bool alone = false;  ///< nothing else on its line
  std::string text;    ///< with its '#'
};

/// All comments of a YAML text, in order. Text in a block scalar or a quoted scalar of several lines may be taken for
/// one.
std::vector<Comment> find_comments(std::string_view text);

}  // namespace gw::config
