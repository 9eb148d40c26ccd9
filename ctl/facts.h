// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ctl/table.h"

namespace gw::ctl {

/// Facts about one thing, a line each: its name, padded to the longest, and its value.
class Facts {
 public:
  void add(std::string name, std::string value, Tone tone = Tone::plain) {
    facts_.emplace_back(std::move(name), Cell(std::move(value), tone));
  }
  [[nodiscard]] std::string render(const Style& style) const;

 private:
  std::vector<std::pair<std::string, Cell>> facts_;
};

}  // namespace gw::ctl
