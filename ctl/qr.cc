// SPDX-License-Identifier: Apache-2.0
#include "ctl/qr.h"

#include <qrencode.h>
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <cerrno>
#include <memory>

namespace gw::ctl {
namespace {

constexpr int kQuiet = 4;  // modules of margin (ISO/IEC 18004 §9.1)
// White on black out of the fixed 6x6x6 cube: themes may redefine the first 16 colours.
constexpr std::string_view kColours = "\033[38;5;231;48;5;16m";
constexpr std::string_view kPlain = "\033[0m";

/// The modules spell the text, which may be a secret.
struct Wipe {
  void operator()(QRcode* code) const {
    explicit_bzero(code->data, static_cast<size_t>(code->width) * static_cast<size_t>(code->width));
    QRcode_free(code);
  }
};

bool is_light(const QRcode& code, int row, int column) {
  if (row < 0 || column < 0 || row >= code.width || column >= code.width) return true;
  return (code.data[row * code.width + column] & 1U) == 0;
}

/// Two modules, one above the other. The glyph's ink is light.
std::string_view glyph(bool upper_light, bool lower_light) {
  if (upper_light) return lower_light ? "\u2588" : "\u2580";
  return lower_light ? "\u2584" : " ";
}

}  // namespace

Result<std::string> terminal_qr(std::string_view text) {
  constexpr const char* kMake = "make QR code";
  if (text.empty()) return failure(EINVAL, kMake, {}, "there is no text");
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::unique_ptr<QRcode, Wipe> code(QRcode_encodeData(static_cast<int>(text.size()), bytes, 0, QR_ECLEVEL_L));
  if (!code && errno == ERANGE) {
    return failure(EFBIG, kMake, {}, std::to_string(text.size()) + " bytes do not fit a code, which holds 2953");
  }
  if (!code) return failure(errno != 0 ? errno : EIO, kMake);
  const int last = code->width + kQuiet;
  const auto lines = static_cast<size_t>(last + kQuiet + 1) / 2;
  std::string out;
  // Three bytes a glyph; room for all at once, so that no copy stays behind in freed memory.
  out.reserve(lines * (static_cast<size_t>(last + kQuiet) * 3 + kColours.size() + kPlain.size() + 1));
  for (int row = -kQuiet; row < last; row += 2) {
    out += kColours;
    for (int column = -kQuiet; column < last; ++column)
      out += glyph(is_light(*code, row, column), is_light(*code, row + 1, column));
    out.append(kPlain).append("\n");
  }
  return out;
}

}  // namespace gw::ctl
