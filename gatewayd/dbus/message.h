// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/result.h"

/// sd-bus messages as values: RAII for what sd-bus counts references of, writing, and reading of arguments.
namespace gw::dbus {

struct MessageUnref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

struct SlotUnref {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Slot = std::unique_ptr<sd_bus_slot, SlotUnref>;

/// Appends to a message. The first failure sticks and everything after it does nothing: ask `done` at the end. Text
/// that is not UTF-8, which D-Bus refuses, goes out with '?' for the wrong bytes. Borrows the message.
class Writer {
 public:
  explicit Writer(sd_bus_message* message) : message_(message) {}

  Writer& text(std::string_view value);
  Writer& texts(const std::vector<std::string>& values);
  Writer& boolean(bool value);
  Writer& u32(uint32_t value);
  Writer& u64(uint64_t value);
  Writer& i64(int64_t value);
  Writer& fd(int value);  ///< duplicated: it stays the caller's
  Writer& bytes(std::string_view value);

  Writer& open_list();  ///< aa{sv}; then any number of dictionaries, then close
  Writer& open_dict();  ///< a{sv}; then put, then close
  Writer& close();

  // Members of an open dictionary.
  Writer& put(const char* key, std::string_view value);
  Writer& put(const char* key, const char* value) { return put(key, std::string_view(value)); }
  Writer& put(const char* key, const std::vector<std::string>& value);
  Writer& put(const char* key, bool value);
  Writer& put(const char* key, uint16_t value);
  Writer& put(const char* key, uint32_t value);
  Writer& put(const char* key, uint64_t value);
  Writer& put(const char* key, int64_t value);
  Writer& put(const char* key, const std::map<std::string, uint64_t>& value);  ///< a{st}
  Writer& open_member(const char* key);                                        ///< aa{sv} as a member; close_member
  Writer& close_member();

  [[nodiscard]] Result<void> done() const;

 private:
  void keep(int rc) {
    if (rc_ >= 0 && rc < 0) rc_ = rc;
  }
  void basic(char type, const void* value);
  void member(const char* key, const char* type);
  void end_member();

  sd_bus_message* message_;
  int rc_ = 0;
};

/// sd_bus_message_read_basic for a text, which stays the message's: below 0 an errno, 0 at the end of a list.
int next_text(sd_bus_message* message, const char** text);

/// The next argument of a call; EBADMSG when it is of another type (sd-bus has checked the signature already).
Result<std::string> read_text(sd_bus_message* message);
Result<uint32_t> read_u32(sd_bus_message* message);
Result<bool> read_bool(sd_bus_message* message);
Result<uint64_t> read_u64(sd_bus_message* message);
Result<bool> read_bool(sd_bus_message* message);
Result<std::string> read_bytes(sd_bus_message* message);  ///< "ay"

/// `text` with every byte that is not part of valid UTF-8, and every control character but tab and line ends, replaced
/// by '?'.
std::string valid_utf8(std::string_view text);

}  // namespace gw::dbus
