// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gw {

inline constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 §4, padded, without line breaks.
std::string base64(std::span<const uint8_t> bytes);
std::string base64(std::string_view bytes);

/// The bytes of padded, canonical base64; line ends and blanks between characters are left out. nullopt: it is none.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace gw
