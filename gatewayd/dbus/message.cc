// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/message.h"

#include "gatewayd/dbus/errors.h"

namespace gw::dbus {
namespace {

// Length of the UTF-8 sequence at the front of `text`, 0 when there is none: RFC 3629 §4, by its ranges.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const uint8_t first = byte(0);
  if (first < 0x80) return first == 0 ? 0 : 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return !overlong && !surrogate && tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool beyond = first == 0xf4 && byte(1) > 0x8f;
    return !overlong && !beyond && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

Error bad_argument(int rc) { return bus_error(rc, "read the arguments of", "the call"); }

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    if (length == 0) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void Writer::basic(char type, const void* value) {
  if (rc_ >= 0) keep(sd_bus_message_append_basic(message_, type, value));
}

Writer& Writer::text(std::string_view value) {
  basic('s', valid_utf8(value).c_str());
  return *this;
}

Writer& Writer::texts(const std::vector<std::string>& values) {
  if (rc_ >= 0) keep(sd_bus_message_open_container(message_, 'a', "s"));
  for (const std::string& value : values) text(value);
  return close();
}

Writer& Writer::boolean(bool value) {
  const int as_int = value ? 1 : 0;
  basic('b', &as_int);
  return *this;
}

Writer& Writer::u32(uint32_t value) {
  basic('u', &value);
  return *this;
}

Writer& Writer::i64(int64_t value) {
  basic('x', &value);
  return *this;
}

Writer& Writer::bytes(std::string_view value) {
  if (rc_ >= 0) keep(sd_bus_message_append_array(message_, 'y', value.data(), value.size()));
  return *this;
}

Writer& Writer::open_list() {
  if (rc_ >= 0) keep(sd_bus_message_open_container(message_, 'a', "a{sv}"));
  return *this;
}

Writer& Writer::open_dict() {
  if (rc_ >= 0) keep(sd_bus_message_open_container(message_, 'a', "{sv}"));
  return *this;
}

Writer& Writer::close() {
  if (rc_ >= 0) keep(sd_bus_message_close_container(message_));
  return *this;
}

void Writer::member(const char* key, const char* type) {
  if (rc_ >= 0) keep(sd_bus_message_open_container(message_, 'e', "sv"));
  basic('s', key);
  if (rc_ >= 0) keep(sd_bus_message_open_container(message_, 'v', type));
}

void Writer::end_member() { close().close(); }

Writer& Writer::put(const char* key, std::string_view value) {
  member(key, "s");
  text(value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, const std::vector<std::string>& value) {
  member(key, "as");
  texts(value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, bool value) {
  member(key, "b");
  boolean(value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, uint16_t value) {
  member(key, "q");
  basic('q', &value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, uint32_t value) {
  member(key, "u");
  u32(value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, uint64_t value) {
  member(key, "t");
  basic('t', &value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, int64_t value) {
  member(key, "x");
  i64(value);
  end_member();
  return *this;
}

Writer& Writer::put(const char* key, const std::map<std::string, uint64_t>& value) {
  member(key, "a{st}");
  if (rc_ >= 0) keep(sd_bus_message_open_container(message_, 'a', "{st}"));
  for (const auto& [name, count] : value) {
    if (rc_ >= 0) keep(sd_bus_message_append(message_, "{st}", valid_utf8(name).c_str(), count));
  }
  close();
  end_member();
  return *this;
}

Writer& Writer::open_member(const char* key) {
  member(key, "aa{sv}");
  return open_list();
}

Writer& Writer::close_member() {
  close();
  end_member();
  return *this;
}

Result<void> Writer::done() const {
  if (rc_ < 0) return std::unexpected(bus_error(rc_, "write", "the answer"));
  return {};
}

Result<std::string> read_text(sd_bus_message* message) {
  const char* value = nullptr;
  const int rc = sd_bus_message_read_basic(message, 's', &value);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return value;
}

Result<uint32_t> read_u32(sd_bus_message* message) {
  uint32_t value = 0;
  const int rc = sd_bus_message_read_basic(message, 'u', &value);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return value;
}

}  // namespace gw::dbus
