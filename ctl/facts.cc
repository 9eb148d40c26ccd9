// SPDX-License-Identifier: Apache-2.0
#include "ctl/facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "ctl/format.h"

namespace gw::ctl {

std::string Facts::render(const Style& style) const {
  size_t width = 0;
  for (const auto& [name, value] : facts_) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : facts_) {
    out += fmt::format("{}  {}\n", style.paint(Tone::faint, fmt::format("{:<{}}", name, width)),
                       style.paint(value.tone, printable(value.text)));
  }
  return out;
}

}  // namespace gw::ctl
