// SPDX-License-Identifier: Apache-2.0
#include "ctl/qr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <qrencode.h>

#include <memory>
#include <vector>

namespace gw::ctl {
namespace {

using testing::HasSubstr;

/// The modules of a printed code, true for light, read back from the glyphs.
std::vector<std::vector<bool>> modules(std::string_view printed) {
  std::vector<std::vector<bool>> rows;
  while (!printed.empty()) {
    std::string_view line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(line.size() + 1);
    EXPECT_TRUE(line.starts_with("\033[38;5;231;48;5;16m") && line.ends_with("\033[0m"));
    line.remove_prefix(line.find('m') + 1);
    line.remove_suffix(4);
    std::vector<bool> upper, lower;
    while (!line.empty()) {
      const bool wide = line.front() != ' ';
      const std::string_view glyph = line.substr(0, wide ? 3 : 1);
      upper.push_back(glyph == "\u2588" || glyph == "\u2580");
      lower.push_back(glyph == "\u2588" || glyph == "\u2584");
      line.remove_prefix(glyph.size());
    }
    rows.push_back(upper);
    rows.push_back(lower);
  }
  return rows;
}

std::string printed(std::string_view text) {
  auto code = terminal_qr(text);
  EXPECT_TRUE(code) << code.error().message();
  return code ? *code : std::string();
}

TEST(TerminalQr, ShowsEveryModuleInsideAQuietZoneOfFour) {
  const std::string text = "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n";
  const auto rows = modules(printed(text));
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeData(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0,
                        QR_ECLEVEL_L),
      QRcode_free);
  const auto width = static_cast<size_t>(code->width);
  ASSERT_EQ(rows.size(), width + 9);  // an odd number of rows, and one more of the quiet zone
  for (size_t row = 0; row < rows.size(); ++row) {
    ASSERT_EQ(rows[row].size(), width + 8);
    for (size_t column = 0; column < width + 8; ++column) {
      const bool inside = row >= 4 && column >= 4 && row < width + 4 && column < width + 4;
      const bool light = !inside || (code->data[(row - 4) * width + column - 4] & 1U) == 0;
      ASSERT_EQ(rows[row][column], light) << row << " " << column;
    }
  }
}

TEST(TerminalQr, HasItsFinderPatternsInThreeCorners) {
  const auto rows = modules(printed("x"));
  const size_t width = rows[0].size() - 8;
  const auto is_finder = [&](size_t top, size_t left) {
    for (size_t i = 0; i < 7; ++i) {
      if (rows[top][left + i] || rows[top + 6][left + i] || rows[top + i][left] || rows[top + i][left + 6])
        return false;
    }
    return rows[top + 1][left + 1] && !rows[top + 3][left + 3];
  };
  EXPECT_TRUE(is_finder(4, 4));
  EXPECT_TRUE(is_finder(4, 4 + width - 7));
  EXPECT_TRUE(is_finder(4 + width - 7, 4));
  EXPECT_FALSE(is_finder(4 + width - 7, 4 + width - 7));
}

TEST(TerminalQr, HoldsUpTo2953Bytes) {
  EXPECT_TRUE(terminal_qr(std::string(2953, 'x')));
  const auto more = terminal_qr(std::string(2954, 'x'));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, EFBIG);
  EXPECT_THAT(more.error().message(), HasSubstr("2954 bytes do not fit"));
  EXPECT_EQ(terminal_qr(std::string(10 << 20, 'x')).error().code, EFBIG);
}

TEST(TerminalQr, OfNothingIsRefused) { EXPECT_EQ(terminal_qr("").error().code, EINVAL); }

}  // namespace
}  // namespace gw::ctl
