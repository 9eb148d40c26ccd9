// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/dbus/render.h"

#include <cstdint>
#include <string_view>

namespace gw::test {
namespace {

std::string render_value(sd_bus_message* message);

template <class T>
std::string number(sd_bus_message* message, char type) {
  T value{};
  sd_bus_message_read_basic(message, type, &value);
  return std::string(1, type) + " " + std::to_string(value);
}

std::string basic(sd_bus_message* message, char type) {
  if (type == 's') {
    const char* text = nullptr;
    sd_bus_message_read_basic(message, type, &text);
    return "\"" + std::string(text) + "\"";
  }
  if (type == 'b') {
    int value = 0;
    sd_bus_message_read_basic(message, type, &value);
    return value != 0 ? "true" : "false";
  }
  if (type == 'y') return number<uint8_t>(message, type);
  if (type == 'q') return number<uint16_t>(message, type);
  if (type == 'u') return number<uint32_t>(message, type);
  if (type == 't') return number<uint64_t>(message, type);
  return number<int64_t>(message, type);
}

std::string container(sd_bus_message* message, char type, const char* contents) {
  sd_bus_message_enter_container(message, type, contents);
  const bool dict = type == 'a' && contents[0] == '{';
  std::string out;
  while (sd_bus_message_at_end(message, 0) == 0) {
    if (!out.empty()) out += type == 'e' ? ": " : ", ";
    out += render_value(message);
  }
  sd_bus_message_exit_container(message);
  if (type != 'a') return out;
  return dict ? "{" + out + "}" : "[" + out + "]";
}

std::string render_value(sd_bus_message* message) {
  char type = 0;
  const char* contents = nullptr;
  if (sd_bus_message_peek_type(message, &type, &contents) <= 0) return "?";
  const bool is_container = std::string_view("aver").find(type) != std::string_view::npos;
  return is_container ? container(message, type, contents) : basic(message, type);
}

}  // namespace

std::string render(sd_bus_message* message) {
  std::string out;
  while (message != nullptr && sd_bus_message_at_end(message, 1) == 0) {
    if (!out.empty()) out += " | ";
    out += render_value(message);
  }
  return out;
}

}  // namespace gw::test
