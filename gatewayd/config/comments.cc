// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/comments.h"

namespace gw::config {
namespace {

constexpr std::string_view kBlank = " \t\r";

/// Where the comment of a line begins: at a '#' that is first or follows a blank, outside quotes (YAML 1.2 §6.6).
size_t comment_start(std::string_view line) {
  char quote = 0;
  char previous = ' ';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool escape = (quote == '"' && c == '\\') || (quote == '\'' && line.substr(i).starts_with("''"));
    if (escape) {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') && std::string_view(" \t[{,").find(previous) != std::string_view::npos) {
      quote = c;
    } else if (c == '#' && kBlank.find(previous) != std::string_view::npos) {
      return i;
    }
    previous = c;
  }
  return std::string_view::npos;
}

}  // namespace

std::vector<Comment> find_comments(std::string_view text) {
  std::vector<Comment> out;
  for (uint32_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t start = comment_start(line);
    if (start == std::string_view::npos) continue;
    const size_t last = line.find_last_not_of(kBlank);
    out.push_back({number, line.find_first_not_of(kBlank) == start, std::string(line.substr(start, last - start + 1))});
  }
  return out;
}

}  // namespace gw::config
