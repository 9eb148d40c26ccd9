// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/message.h"

#include "gatewayd/config/utf8.h"
#include "gatewayd/dbus/errors.h"

namespace gw::dbus {
namespace {

Error bad_argument(int rc) { return bus_error(rc, "read the arguments of", "the call"); }

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out(text);
  size_t from = 0;
  while (const auto bad = config::find_bad_byte(std::string_view(out).substr(from))) {
    from += bad->offset;
    out[from++] = '?';
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

Writer& Writer::u64(uint64_t value) {
  basic('t', &value);
  return *this;
}

Writer& Writer::fd(int value) {
  basic('h', &value);
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

int next_text(sd_bus_message* message, const char** text) {
  return sd_bus_message_read_basic(message, 's', static_cast<void*>(text));
}

Result<std::string> read_text(sd_bus_message* message) {
  const char* value = nullptr;
  const int rc = next_text(message, &value);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return value;
}

Result<uint32_t> read_u32(sd_bus_message* message) {
  uint32_t value = 0;
  const int rc = sd_bus_message_read_basic(message, 'u', &value);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return value;
}

Result<bool> read_bool(sd_bus_message* message) {
  int value = 0;
  const int rc = sd_bus_message_read_basic(message, 'b', &value);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return value != 0;
}

Result<uint64_t> read_u64(sd_bus_message* message) {
  uint64_t value = 0;
  const int rc = sd_bus_message_read_basic(message, 't', &value);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return value;
}

Result<std::string> read_bytes(sd_bus_message* message) {
  const void* bytes = nullptr;
  size_t size = 0;
  const int rc = sd_bus_message_read_array(message, 'y', &bytes, &size);
  if (rc < 0) return std::unexpected(bad_argument(rc));
  return size == 0 ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace gw::dbus
