// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "gatewayd/config/comments.h"

namespace gw::config {
namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Whether a scalar can stand without quotes, also within [] and {}. Stricter than YAML has to be.
bool is_plain(std::string_view text) {
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) return false;
  if (text == "null" || text == "Null" || text == "NULL") return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && !is_word(text[i + 1])) return false;
    if (!is_word(text[i]) && std::string_view("-_./:").find(text[i]) == std::string_view::npos) return false;
  }
  // Two colons: an IPv6 address, which everybody quotes.
  return std::count(text.begin(), text.end(), ':') < 2;
}

std::string scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string flow(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "null";
    case YamlNode::Kind::scalar:
      return scalar(node.scalar);
    case YamlNode::Kind::sequence:
      for (const YamlNode& item : node.items) out += (out.empty() ? "" : ", ") + flow(item);
      return "[" + out + "]";
    case YamlNode::Kind::map:
      break;
  }
  for (const Entry& entry : node.entries)
    out += (out.empty() ? "" : ", ") + scalar(entry.key.scalar) + ": " + flow(entry.value);
  return "{" + out + "}";
}

/// Writes lines, and before each the comments that belong to it. A comment alone belongs to what begins after it, one
/// at the end of a line to what began last.
class Emitter {
 public:
  explicit Emitter(std::string_view original) : comments_(find_comments(original)) {}

  std::string run(const YamlNode& root) {
    collect(root);
    head(root);
    for (const Entry& section : root.entries) emit_section(section);
    for (const Comment& comment : comments_) {
      if (owner(comment) == kEnd) out_ += comment.text + "\n";
    }
    return std::move(out_);
  }

 private:
  static constexpr uint32_t kEnd = UINT32_MAX;

  static bool is_block(const YamlNode& node) {
    return (node.is(YamlNode::Kind::map) && !node.entries.empty()) ||
           (node.is(YamlNode::Kind::sequence) && !node.items.empty());
  }

  void collect(const YamlNode& root) {
    for (const Entry& section : root.entries) {
      starts_.push_back(section.key.mark.line);
      for (const Entry& entry : section.value.entries) starts_.push_back(entry.key.mark.line);
      for (const YamlNode& item : section.value.items) starts_.push_back(item.mark.line);
    }
    std::erase(starts_, 0U);
    std::sort(starts_.begin(), starts_.end());
  }

  [[nodiscard]] uint32_t owner(const Comment& comment) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), comment.line);
    if (!comment.alone && after != starts_.begin()) return *std::prev(after);
    return after == starts_.end() ? kEnd : *after;
  }

  /// Comments above the first section are about the file: they stay when that section goes.
  void head(const YamlNode& root) {
    if (root.entries.empty()) return;
    while (head_ < comments_.size() && comments_[head_].alone && !starts_.empty() &&
           comments_[head_].line < starts_.front()) {
      out_ += comments_[head_++].text + "\n";
    }
  }

  void comments_of(const Mark& mark, std::string_view indent) {
    if (mark.line == 0 || mark.line == commented_) return;
    commented_ = mark.line;
    for (size_t i = head_; i < comments_.size(); ++i) {
      if (owner(comments_[i]) == mark.line) out_ += fmt::format("{}{}\n", indent, comments_[i].text);
    }
  }

  void emit_section(const Entry& section) {
    comments_of(section.key.mark, "");
    const YamlNode& value = section.value;
    if (!is_block(value)) {
      out_ += scalar(section.key.scalar) + ": " + flow(value) + "\n";
      return;
    }
    out_ += scalar(section.key.scalar) + ":\n";
    for (const Entry& entry : value.entries) {
      comments_of(entry.key.mark, "  ");
      out_ += "  " + scalar(entry.key.scalar) + ": " + flow(entry.value) + "\n";
    }
    for (const YamlNode& item : value.items) {
      comments_of(item.mark, "  ");
      out_ += "  - " + flow(item) + "\n";
    }
  }

  std::vector<Comment> comments_;
  std::vector<uint32_t> starts_;
  size_t head_ = 0;
  uint32_t commented_ = 0;
  std::string out_;
};

}  // namespace

std::string emit(const YamlNode& root, std::string_view original) { return Emitter(original).run(root); }

}  // namespace gw::config
