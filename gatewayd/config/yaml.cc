// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "gatewayd/config/utf8.h"

namespace gw::config {
namespace {

size_t count(const YamlNode& node) {
  size_t total = 1;
  for (const YamlNode& item : node.items) total += count(item);
  for (const Entry& entry : node.entries) total += 1 + count(entry.value);
  return total;
}

size_t depth(const YamlNode& node) {
  size_t deepest = 0;
  for (const YamlNode& item : node.items) deepest = std::max(deepest, depth(item));
  for (const Entry& entry : node.entries) deepest = std::max(deepest, depth(entry.value));
  return deepest + 1;
}

/// Builds the tree from the parser's events. The library's own node type is not used: it drops repeated keys. Refusals
/// are thrown as ParseError and caught in `parse_yaml`.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(uint32_t file) : file_(file) {}
  YamlNode take() { return std::move(root_); }
  /// Where the last scalar begins, when that one is quoted.
  [[nodiscard]] const std::optional<YAML::Mark>& last_quoted() const { return last_quoted_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      throw ParseError{place(mark), "a second YAML document; keep one per file and delete this '---'"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(leaf(YamlNode::Kind::null, mark, {}), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    // Escapes write what the bytes of a file may not hold.
    if (find_bad_byte(value))
      throw ParseError{place(mark), "this value holds a control character, written as an escape; delete it"};
    last_quoted_ = tag == "!" ? std::optional(mark) : std::nullopt;
    add(leaf(YamlNode::Kind::scalar, mark, value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end())
      throw ParseError{place(mark), "this alias stands inside the value it names; write the value out"};
    spend(count(known->second), place(mark));
    check_depth(open_.size() + depth(known->second), place(mark));
    add(known->second, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<YamlNode> key;
  };

  [[nodiscard]] Mark place(const YAML::Mark& mark) const {
    return {file_, static_cast<uint32_t>(std::max(mark.line, 0)) + 1,
            static_cast<uint32_t>(std::max(mark.column, 0)) + 1};
  }

  void spend(size_t nodes, const Mark& mark) {
    spent_ += nodes;
    if (spent_ > kMaxNodes) {
      throw ParseError{
          mark,
          fmt::format("more than {} values in one file, aliases counted at full length; split the file", kMaxNodes)};
    }
  }

  static void check_depth(size_t depth, const Mark& mark) {
    if (depth > kMaxDepth) throw ParseError{mark, fmt::format("nested more than {} levels deep", kMaxDepth)};
  }

  /// "?" and "!" stand for 'none written' (plain and quoted), "" for a collection without one.
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw ParseError{place(mark), fmt::format("the YAML tag '{}' has no meaning here; delete it", tag)};
  }

  YamlNode leaf(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& value) {
    YamlNode node;
    node.kind = kind;
    node.scalar = value;
    node.mark = place(mark);
    spend(1, node.mark);
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    check_depth(open_.size() + 1, place(mark));
    open_.push_back({leaf(kind, mark, {}), anchor, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      spend(count(node), node.mark);
      anchors_.insert_or_assign(anchor, node);
    }
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().node.is(YamlNode::Kind::sequence)) {
      open_.back().node.items.push_back(std::move(node));
    } else {
      add_to_map(open_.back(), std::move(node));
    }
  }

  static void add_to_map(Open& map, YamlNode node) {
    if (map.key) {
      // The parser places a missing value at whatever follows it.
      if (node.is(YamlNode::Kind::null)) node.mark = map.key->mark;
      map.node.entries.push_back({std::move(*map.key), std::move(node)});
      map.key.reset();
    } else if (node.is(YamlNode::Kind::scalar)) {
      map.key = std::move(node);
    } else {
      throw ParseError{node.mark, "a key must be a word, such as 'name:'"};
    }
  }

  uint32_t file_;
  YamlNode root_;
  std::optional<YAML::Mark> last_quoted_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t spent_ = 0;
  int documents_ = 0;
};

/// Line and column of a byte.
Mark locate(std::string_view text, size_t offset, uint32_t file) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t start = before.rfind('\n');
  return {file, lines + 1, static_cast<uint32_t>(offset - (start == std::string_view::npos ? 0 : start + 1)) + 1};
}

/// Whether the first quote from `offset` on has its partner. The parser takes the end of the file for one.
bool is_closed(std::string_view text, size_t offset) {
  const size_t start = text.find_first_of("\"'", offset);
  if (start == std::string_view::npos) return true;
  for (size_t i = start + 1; i < text.size(); ++i) {
    if (text[start] == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == text[start]) {
      return true;
    }
  }
  return false;
}

std::optional<ParseError> check_bytes(std::string_view text, uint32_t file) {
  if (text.size() > kMaxFileBytes)
    return ParseError{{file}, fmt::format("the file has {} bytes; at most {} are read", text.size(), kMaxFileBytes)};
  const auto bad = find_bad_byte(text);
  if (!bad) return std::nullopt;
  const auto byte = static_cast<unsigned char>(text[bad->offset]);
  return ParseError{locate(text, bad->offset, file),
                    bad->control ? fmt::format("control character 0x{:02x}; delete it", byte)
                                 : fmt::format("byte 0x{:02x} is not UTF-8; save the file as UTF-8", byte)};
}

}  // namespace

std::expected<YamlNode, ParseError> parse_yaml(std::string_view text, uint32_t file) {
  if (auto bad = check_bytes(text, file)) return std::unexpected(std::move(*bad));
  Builder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const ParseError& error) {
    return std::unexpected(error);
  } catch (const YAML::Exception& error) {
    const Mark mark{file, static_cast<uint32_t>(std::max(error.mark.line, 0)) + 1,
                    static_cast<uint32_t>(std::max(error.mark.column, 0)) + 1};
    return std::unexpected(ParseError{
        mark, "YAML: " + error.msg + "; check brackets, quotes, colons and indentation (no tabs) up to here"});
  } catch (const std::exception& error) {
    return std::unexpected(ParseError{{file}, std::string("YAML: ") + error.what()});
  }
  const auto quoted = builder.last_quoted();
  if (quoted && !is_closed(text, static_cast<size_t>(std::max(quoted->pos, 0)))) {
    return std::unexpected(
        ParseError{locate(text, static_cast<size_t>(quoted->pos), file), "this quote is never closed"});
  }
  return builder.take();
}

YamlNode scalar_node(std::string text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.scalar = std::move(text);
  node.mark = {0, 0, 0};
  return node;
}

}  // namespace gw::config
