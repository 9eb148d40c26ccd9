// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gatewayd/config/diagnostics.h"
#include "gatewayd/config/yaml.h"

/// Tree -> typed values. Every function reports what it cannot take and then returns nullopt or what is left, so that
/// the caller goes on and finds the next mistake.
namespace gw::config {

/// A map with a fixed set of keys. Reports unknown and repeated keys, and a node that is no map; a null node is an
/// empty map.
class Section {
 public:
  Section(Diagnostics& diagnostics, const YamlNode& node, std::string_view what,
          std::initializer_list<std::string_view> keys);

  /// The value of a key, nullptr when it is absent or null.
  [[nodiscard]] const YamlNode* get(std::string_view key) const;
  /// As `get`, and reports a missing key: "<what> needs '<key>'; <example>".
  [[nodiscard]] const YamlNode* require(std::string_view key, std::string_view example) const;

 private:
  Diagnostics& diagnostics_;
  std::string what_;
  Mark mark_;
  std::vector<std::pair<std::string_view, const YamlNode*>> values_;
};

struct Named {
  std::string name;
  Mark mark;
  const YamlNode* value;
};

/// A map from names that the operator chose. Reports bad and repeated names; a bad name is still in the result.
std::vector<Named> read_names(Diagnostics& diagnostics, const YamlNode* node, std::string_view what);

struct Text {
  std::string text;
  Mark mark;
};

std::optional<Text> read_text(Diagnostics& diagnostics, const YamlNode* node);
/// A list of scalars, or a scalar alone.
std::vector<Text> read_texts(Diagnostics& diagnostics, const YamlNode* node);
/// The items of a sequence of anything else.
std::vector<const YamlNode*> read_items(Diagnostics& diagnostics, const YamlNode* node, std::string_view what);

std::optional<bool> read_bool(Diagnostics& diagnostics, const YamlNode* node);
std::optional<uint64_t> read_number(Diagnostics& diagnostics, const YamlNode* node, uint64_t min, uint64_t max);
std::optional<std::string> read_label(Diagnostics& diagnostics, const YamlNode* node);
std::string read_device(Diagnostics& diagnostics, const YamlNode* node);
std::optional<Endpoint> read_endpoint(Diagnostics& diagnostics, const YamlNode* node,
                                      std::optional<uint16_t> default_port);

struct PlacedPrefix {
  Prefix prefix;
  Mark mark;
};
/// Prefixes longer than /0. Reports set host bits with the prefix that was meant.
std::vector<PlacedPrefix> read_prefixes(Diagnostics& diagnostics, const YamlNode* node);
std::vector<Prefix> values(const std::vector<PlacedPrefix>& prefixes);

struct PlacedAddress {
  IpAddress address;
  Mark mark;
};
/// Reports what is no address, and one that stands there twice.
std::vector<PlacedAddress> read_addresses(Diagnostics& diagnostics, const YamlNode* node);
std::vector<IpAddress> values(const std::vector<PlacedAddress>& addresses);

template <class T>
struct Word {
  std::string_view word;
  T value;
};

void report_word(Diagnostics& diagnostics, const Text& text, const std::vector<std::string_view>& words);

/// One of a few words.
template <class T>
std::optional<T> read_word(Diagnostics& diagnostics, const YamlNode* node, std::initializer_list<Word<T>> words) {
  const auto text = read_text(diagnostics, node);
  if (!text) return std::nullopt;
  std::vector<std::string_view> allowed;
  for (const auto& [word, value] : words) {
    if (text->text == word) return value;
    allowed.push_back(word);
  }
  report_word(diagnostics, *text, allowed);
  return std::nullopt;
}

}  // namespace gw::config
