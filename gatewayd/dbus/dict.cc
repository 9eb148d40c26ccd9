// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/dict.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "gatewayd/base/nearest.h"
#include "gatewayd/dbus/errors.h"
#include "gatewayd/dbus/message.h"

namespace gw::dbus {
namespace {

std::unexpected<Error> bad(int rc) { return std::unexpected(bus_error(rc, "read", "a dictionary of the call")); }

template <class T>
Result<int64_t> read_integer(sd_bus_message* message, char type) {
  T value{};
  const int rc = sd_bus_message_read_basic(message, type, &value);
  if (rc < 0) return bad(rc);
  if (!std::in_range<int64_t>(value)) return failure(EINVAL, "read", "a number of the call", "it is too large");
  return static_cast<int64_t>(value);
}

Result<int64_t> read_number(sd_bus_message* message, char type) {
  switch (type) {
    case 'y':
      return read_integer<uint8_t>(message, type);
    case 'n':
      return read_integer<int16_t>(message, type);
    case 'q':
      return read_integer<uint16_t>(message, type);
    case 'i':
      return read_integer<int32_t>(message, type);
    case 'u':
      return read_integer<uint32_t>(message, type);
    case 'x':
      return read_integer<int64_t>(message, type);
    default:
      return read_integer<uint64_t>(message, type);
  }
}

Result<std::vector<std::string>> read_texts(sd_bus_message* message) {
  std::vector<std::string> out;
  int rc = sd_bus_message_enter_container(message, 'a', "s");
  const char* text = nullptr;
  while (rc >= 0 && (rc = next_text(message, &text)) > 0) out.emplace_back(text);
  if (rc >= 0) rc = sd_bus_message_exit_container(message);
  if (rc < 0) return bad(rc);
  return out;
}

template <class Wide, class T>
Result<Wide> widened(Result<T> value) {
  if (!value) return std::unexpected(value.error());
  return Wide(std::move(*value));
}

Result<std::string> read_variant_type(sd_bus_message* message) {
  char type = 0;
  const char* contents = nullptr;
  int rc = sd_bus_message_peek_type(message, &type, &contents);
  if (rc >= 0) rc = sd_bus_message_enter_container(message, 'v', contents);
  if (rc < 0) return bad(rc);
  return contents;
}

}  // namespace

Result<Dict::Value> Dict::read_value(sd_bus_message* message, const std::string& key) {
  const auto type = read_variant_type(message);
  if (!type) return std::unexpected(type.error());
  if (*type == "as") return widened<Value>(read_texts(message));
  if (*type == "b") {
    int value = 0;
    if (const int rc = sd_bus_message_read_basic(message, 'b', &value); rc < 0) return bad(rc);
    return Value(value != 0);
  }
  if (*type == "s") {
    const char* value = nullptr;
    if (const int rc = next_text(message, &value); rc < 0) return bad(rc);
    return Value(std::string(value));
  }
  if (type->size() == 1 && std::string_view("ynqiuxt").contains(type->front())) {
    return widened<Value>(read_number(message, type->front()));
  }
  return failure(EINVAL, "read", "'" + key + "' of the call", "no member has the type '" + *type + "'");
}

Result<Dict> Dict::read(sd_bus_message* message) {
  Dict out;
  int rc = sd_bus_message_enter_container(message, 'a', "{sv}");
  while (rc >= 0 && (rc = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
    const char* key = nullptr;
    if (rc = next_text(message, &key); rc < 0) break;
    const std::string name = key;
    auto value = read_value(message, name);
    if (!value) return std::unexpected(value.error());
    if (!out.members_.emplace(name, std::move(*value)).second) {
      return failure(EINVAL, "read", "a dictionary of the call", "'" + name + "' is given twice");
    }
    if (rc = sd_bus_message_exit_container(message); rc < 0) break;  // the variant
    rc = sd_bus_message_exit_container(message);
  }
  if (rc >= 0) rc = sd_bus_message_exit_container(message);
  if (rc < 0) return bad(rc);
  return out;
}

template <class T>
const T* Dict::take(const char* key, const char* expected) {
  known_.emplace_back(key);
  const auto found = members_.find(key);
  if (found == members_.end()) return nullptr;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    complain(std::string("'") + key + "' has to be " + expected);
  } else {
    ++taken_;
  }
  return value;
}

void Dict::get(const char* key, std::string& out) {
  if (const auto* value = take<std::string>(key, "a text")) out = *value;
}

void Dict::get(const char* key, std::vector<std::string>& out) {
  if (const auto* value = take<std::vector<std::string>>(key, "a list of texts")) out = *value;
}

void Dict::get(const char* key, bool& out) {
  if (const auto* value = take<bool>(key, "a boolean")) out = *value;
}

bool Dict::integer(const char* key, int64_t& out, int64_t least, int64_t most) {
  const auto* value = take<int64_t>(key, "a whole number");
  if (value == nullptr) return false;
  if (*value < least || *value > most) {
    complain(std::string("'") + key + "' has to be from " + std::to_string(least) + " to " + std::to_string(most));
    return false;
  }
  out = *value;
  return true;
}

Result<void> Dict::finish(std::string operation, std::string object) {
  for (const auto& [key, value] : members_) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    complain("unknown member '" + key + "'" + did_you_mean(key, known_));
  }
  if (problems_.empty()) return {};
  std::string all;
  for (const std::string& problem : problems_) all += (all.empty() ? "" : "; ") + problem;
  return failure(EINVAL, std::move(operation), std::move(object), std::move(all));
}

}  // namespace gw::dbus
