// SPDX-License-Identifier: Apache-2.0
#include "ctl/fields.h"

#include <algorithm>

namespace gw::ctl {
namespace {

const Json& member(const Json& dictionary, const std::string& key) {
  static const Json kNothing;
  if (!dictionary.is_object()) return kNothing;
  const auto found = dictionary.find(key);
  return found == dictionary.end() ? kNothing : *found;
}

}  // namespace

std::string text(const Json& dictionary, const std::string& key) {
  const Json& value = member(dictionary, key);
  return value.is_string() ? value.get<std::string>() : "";
}

std::vector<std::string> list(const Json& dictionary, const std::string& key) {
  std::vector<std::string> out;
  const Json& value = member(dictionary, key);
  if (!value.is_array()) return out;
  for (const Json& element : value) {
    if (element.is_string()) out.push_back(element.get<std::string>());
  }
  return out;
}

std::string joined(const Json& dictionary, const std::string& key, const std::string& separator) {
  std::string out;
  for (const std::string& element : list(dictionary, key)) {
    if (!out.empty()) out += separator;
    out += element;
  }
  return out;
}

uint64_t number(const Json& dictionary, const std::string& key) {
  const Json& value = member(dictionary, key);
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  return value.is_number_integer() ? static_cast<uint64_t>(std::max<int64_t>(0, value.get<int64_t>())) : 0;
}

int64_t time_of(const Json& dictionary, const std::string& key) {
  const Json& value = member(dictionary, key);
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}

bool flag(const Json& dictionary, const std::string& key) {
  const Json& value = member(dictionary, key);
  return value.is_boolean() && value.get<bool>();
}

Json items(const Json& dictionary, const std::string& key) {
  const Json& value = member(dictionary, key);
  return value.is_array() || value.is_object() ? value : Json::array();
}

std::string or_dash(std::string text) { return text.empty() ? "-" : std::move(text); }

}  // namespace gw::ctl
