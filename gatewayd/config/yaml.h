// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

/// YAML text as a small tree that forgets nothing: repeated keys stay, and everything knows where it was written.
namespace gw::config {

/// A place in one of the files being loaded: index of the file, line and column in bytes, both from 1.
struct Mark {
  uint32_t file = 0;
  uint32_t line = 1;
  uint32_t column = 1;

  auto operator<=>(const Mark&) const = default;
};

struct Entry;

struct YamlNode {
  enum class Kind : uint8_t { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string scalar;
  std::vector<YamlNode> items;  ///< of a sequence
  std::vector<Entry> entries;   ///< of a map, in the order written
  Mark mark;

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
};

struct Entry {
  YamlNode key;  ///< always a scalar
  YamlNode value;
};

struct ParseError {
  Mark mark;
  std::string text;
};

inline constexpr size_t kMaxFileBytes = size_t{8} << 20U;
inline constexpr size_t kMaxNodes = 1'000'000;  ///< of one file, aliases expanded
inline constexpr size_t kMaxDepth = 24;

/// One document; an empty text is a null node. Aliases are expanded, within kMaxNodes. Refused: more than one document,
/// tags, keys that are no scalars, bytes that are not UTF-8, control characters, more than the limits above. Never
/// throws.
std::expected<YamlNode, ParseError> parse_yaml(std::string_view text, uint32_t file);

/// A scalar that was written nowhere: its mark has line 0.
YamlNode scalar_node(std::string text);

}  // namespace gw::config
