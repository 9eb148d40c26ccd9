// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace gw::config {

struct BadByte {
  size_t offset = 0;
  bool control = false;  ///< well-formed, but a control character that no configuration has a use for
};

/// The first byte that is not well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF) or is a
/// control character other than tab, line feed and carriage return.
std::optional<BadByte> find_bad_byte(std::string_view text);

}  // namespace gw::config
