// SPDX-License-Identifier: Apache-2.0
#include "ctl/table.h"

#include <libsmartcols/libsmartcols.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace gw::ctl {
namespace {

struct Unref {
  void operator()(libscols_table* table) const { scols_unref_table(table); }
};
struct Free {
  void operator()(char* text) const {
    std::free(text);
  }  // NOLINT(cppcoreguidelines-no-malloc): libsmartcols allocates it so
};
using ScolsTable = std::unique_ptr<libscols_table, Unref>;

const char* escape_of(Tone tone) {
  switch (tone) {
    case Tone::heading:
      return "\033[1m";
    case Tone::good:
      return "\033[32m";
    case Tone::warn:
      return "\033[33m";
    case Tone::bad:
      return "\033[31m";
    case Tone::faint:
      return "\033[2m";
    case Tone::plain:
      break;
  }
  return nullptr;
}

bool add_columns(libscols_table* table, const std::vector<Column>& columns) {
  for (const Column& column : columns) {
    const int flags = (column.right ? SCOLS_FL_RIGHT : 0) | (column.shrinks ? SCOLS_FL_TRUNC : 0);
    libscols_column* made = scols_table_new_column(table, column.name.c_str(), 0, flags);
    if (made == nullptr) return false;
    scols_cell_set_color(scols_column_get_header(made), escape_of(Tone::heading));
  }
  return true;
}

bool add_row(libscols_table* table, const std::vector<Cell>& row) {
  libscols_line* line = scols_table_new_line(table, nullptr);
  if (line == nullptr) return false;
  for (size_t i = 0; i < row.size(); ++i) {
    if (scols_line_set_data(line, i, row[i].text.c_str()) != 0) return false;
    if (const char* escape = escape_of(row[i].tone)) scols_cell_set_color(scols_line_get_cell(line, i), escape);
  }
  return true;
}

/// libsmartcols fills the last column with blanks in some cases; lines that are read by other programs end at their
/// text.
std::string without_trailing_blanks(const std::string& text) {
  std::string out;
  size_t start = 0;
  while (start < text.size()) {
    size_t end = text.find('\n', start);
    if (end == std::string::npos) end = text.size();
    const size_t last = text.find_last_not_of(' ', end == 0 ? 0 : end - 1);
    if (end > start && last != std::string::npos && last >= start) out.append(text, start, last - start + 1);
    out += '\n';
    start = end + 1;
  }
  return out;
}

}  // namespace

Style Style::of(int fd) {
  Style style;
  if (isatty(fd) == 0) return style;
  winsize size{};
  style.width = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  style.colour = (no_color == nullptr || *no_color == '\0') && !dumb;
  return style;
}

std::string Style::paint(Tone tone, std::string_view text) const {
  const char* escape = escape_of(tone);
  if (!colour || escape == nullptr) return std::string(text);
  return std::string(escape).append(text).append("\033[0m");
}

Outcome<std::string> Table::render(const Style& style) const {
  const ScolsTable table(scols_new_table());
  if (!table) return refused(Error{ENOMEM, "print", "a table", ""});
  scols_table_set_column_separator(table.get(), "  ");
  scols_table_enable_colors(table.get(), style.colour ? 1 : 0);
  scols_table_set_termforce(table.get(), style.width > 0 ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
  if (style.width > 0) scols_table_set_termwidth(table.get(), static_cast<size_t>(style.width));
  bool good = add_columns(table.get(), columns_);
  for (const auto& row : rows_) good = good && add_row(table.get(), row);
  char* text = nullptr;
  if (!good || scols_print_table_to_string(table.get(), &text) != 0)
    return refused(Error{ENOMEM, "print", "a table", ""});
  const std::unique_ptr<char, Free> owned(text);
  std::string out(text);
  if (!out.ends_with('\n')) out += '\n';
  return without_trailing_blanks(out);
}

}  // namespace gw::ctl
