// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ctl/outcome.h"

/// What the terminal shows: tones and tables.
namespace gw::ctl {

/// What a text means, not how it looks.
enum class Tone { plain, heading, good, warn, bad, faint };

/// Whether tones become colours.
struct Style {
  bool colour = false;
  int width = 0;  ///< columns of the terminal; 0: no terminal, lines may be as long as they like

  /// Of the file descriptor: colours on a terminal only, and not when NO_COLOR (https://no-color.org) is set or
  /// TERM=dumb.
  static Style of(int fd);
  [[nodiscard]] std::string paint(Tone tone, std::string_view text) const;
};

struct Column {
  std::string name;
  bool right = false;    ///< for figures
  bool shrinks = false;  ///< gives way first (cut, with "…") on a narrow terminal
};

struct Cell {
  std::string text;
  Tone tone = Tone::plain;

  // Rows are lists of texts. NOLINTBEGIN(google-explicit-constructor)
  Cell(std::string value, Tone meaning = Tone::plain) : text(std::move(value)), tone(meaning) {}
  Cell(const char* value) : text(value) {}
  // NOLINTEND(google-explicit-constructor)
};

/// A table of libsmartcols: columns as wide as their contents, two blanks between. Control characters come out as \x1b.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// A cell per column.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// With headings, each line ended. ENOMEM when the library fails.
  [[nodiscard]] Outcome<std::string> render(const Style& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace gw::ctl
