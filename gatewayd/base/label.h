// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace gw {

/// A host name label in its one spelling: 1 to 63 of a-z, 0-9 and '-', with no '-' at either end (RFC 1123 §2.1, lower
/// case).
[[nodiscard]] bool is_label(std::string_view text);

/// Labels between dots, in upper or lower case; at most 253 characters.
[[nodiscard]] bool is_host_name(std::string_view text);

}  // namespace gw
