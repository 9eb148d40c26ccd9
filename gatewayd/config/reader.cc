// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/reader.h"

#include <algorithm>
#include <map>

#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

std::string_view kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      break;
  }
  return "a map";
}

std::string repeated(const Diagnostics& diagnostics, std::string_view what, const std::string& name,
                     const Mark& first) {
  return fmt::format("{} '{}' is given twice, first at {}; keep one", what, name, diagnostics.place(first));
}

}  // namespace

Section::Section(Diagnostics& diagnostics, const YamlNode& node, std::string_view what,
                 std::initializer_list<std::string_view> keys)
    : diagnostics_(diagnostics), what_(what), mark_(node.mark) {
  if (node.is(YamlNode::Kind::null)) return;
  if (!node.is(YamlNode::Kind::map)) {
    diagnostics.error(node.mark, fmt::format("{} is a map of keys and values, this is {}; keys are {}", what,
                                             kind_name(node), join(keys)));
    return;
  }
  std::map<std::string_view, Mark> seen;
  for (const auto& [key, value] : node.entries) {
    const auto known = std::find(keys.begin(), keys.end(), key.scalar);
    if (known == keys.end()) {
      diagnostics.error(key.mark, fmt::format("unknown key '{}'{}", key.scalar, hint(key.scalar, keys)));
    } else if (const auto [first, fresh] = seen.emplace(*known, key.mark); !fresh) {
      diagnostics.error(key.mark, repeated(diagnostics, "key", key.scalar, first->second));
    } else if (!value.is(YamlNode::Kind::null)) {
      values_.emplace_back(*known, &value);
    }
  }
}

const YamlNode* Section::get(std::string_view key) const {
  const auto found =
      std::find_if(values_.begin(), values_.end(), [&](const auto& value) { return value.first == key; });
  return found == values_.end() ? nullptr : found->second;
}

const YamlNode* Section::require(std::string_view key, std::string_view example) const {
  const YamlNode* node = get(key);
  if (node == nullptr) diagnostics_.missing(mark_, fmt::format("{} needs '{}'; for example {}", what_, key, example));
  return node;
}

std::vector<Named> read_names(Diagnostics& diagnostics, const YamlNode* node, std::string_view what) {
  std::vector<Named> out;
  if (node == nullptr) return out;
  if (!node->is(YamlNode::Kind::map)) {
    diagnostics.error(node->mark,
                      fmt::format("this is {}; write a map with a key for each {}", kind_name(*node), what));
    return out;
  }
  std::map<std::string_view, Mark> seen;
  for (const auto& [key, value] : node->entries) {
    if (const auto why = why_no_label(key.scalar))
      diagnostics.error(key.mark, fmt::format("bad {} name '{}': {}", what, key.scalar, *why));
    const auto [first, fresh] = seen.emplace(key.scalar, key.mark);
    if (fresh) {
      out.push_back({key.scalar, key.mark, &value});
    } else {
      diagnostics.error(key.mark, repeated(diagnostics, what, key.scalar, first->second));
    }
  }
  return out;
}

std::optional<Text> read_text(Diagnostics& diagnostics, const YamlNode* node) {
  if (node == nullptr) return std::nullopt;
  if (node->is(YamlNode::Kind::scalar)) return Text{node->scalar, node->mark};
  diagnostics.error(node->mark, fmt::format("expected a single value, found {}", kind_name(*node)));
  return std::nullopt;
}

std::vector<Text> read_texts(Diagnostics& diagnostics, const YamlNode* node) {
  std::vector<Text> out;
  if (node == nullptr) return out;
  if (node->is(YamlNode::Kind::scalar)) return {{node->scalar, node->mark}};
  if (!node->is(YamlNode::Kind::sequence)) {
    diagnostics.error(node->mark, fmt::format("expected a list such as [a, b], found {}", kind_name(*node)));
    return out;
  }
  for (const YamlNode& item : node->items) {
    if (auto text = read_text(diagnostics, &item)) out.push_back(std::move(*text));
  }
  return out;
}

std::vector<const YamlNode*> read_items(Diagnostics& diagnostics, const YamlNode* node, std::string_view what) {
  std::vector<const YamlNode*> out;
  if (node == nullptr) return out;
  if (!node->is(YamlNode::Kind::sequence)) {
    diagnostics.error(node->mark,
                      fmt::format("'{}' is a list with '- ' before each item, this is {}", what, kind_name(*node)));
    return out;
  }
  for (const YamlNode& item : node->items) out.push_back(&item);
  return out;
}

void report_word(Diagnostics& diagnostics, const Text& text, const std::vector<std::string_view>& words) {
  diagnostics.error(text.mark, fmt::format("'{}' is not among the words allowed here: {}", text.text, join(words)));
}

std::optional<bool> read_bool(Diagnostics& diagnostics, const YamlNode* node) {
  return read_word<bool>(diagnostics, node, {{"true", true}, {"false", false}});
}

std::optional<uint64_t> read_number(Diagnostics& diagnostics, const YamlNode* node, uint64_t min, uint64_t max) {
  const auto text = read_text(diagnostics, node);
  if (!text) return std::nullopt;
  const auto number = parse_number(text->text, max);
  if (number && *number >= min) return number;
  diagnostics.error(text->mark, fmt::format("'{}' is not a whole number from {} to {}", text->text, min, max));
  return std::nullopt;
}

std::optional<std::string> read_label(Diagnostics& diagnostics, const YamlNode* node) {
  auto text = read_text(diagnostics, node);
  if (!text) return std::nullopt;
  if (const auto why = why_no_label(text->text)) {
    diagnostics.error(text->mark, fmt::format("bad name '{}': {}", text->text, *why));
  }
  return std::move(text->text);
}

std::string read_device(Diagnostics& diagnostics, const YamlNode* node) {
  auto text = read_text(diagnostics, node);
  if (!text) return {};
  if (const auto why = why_no_device(text->text)) {
    diagnostics.error(text->mark, fmt::format("bad device name '{}': {}", text->text, *why));
  }
  return std::move(text->text);
}

}  // namespace gw::config
