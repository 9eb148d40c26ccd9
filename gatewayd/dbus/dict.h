// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gatewayd/base/result.h"

namespace gw::dbus {

/// A dictionary a{sv} that a caller sent: bytes from outside. Members are taken one by one with `get`; `finish` then
/// tells everything that was wrong in one sentence: wrong types, numbers that do not fit, members nobody asked for.
class Dict {
 public:
  /// Reads the next argument. EINVAL: a member given twice, or of a type that no member has.
  static Result<Dict> read(sd_bus_message* message);

  /// Each leaves `out` as it is when the member is not there.
  void get(const char* key, std::string& out);
  void get(const char* key, std::vector<std::string>& out);
  void get(const char* key, bool& out);
  template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
  void get(const char* key, Integer& out) {
    int64_t value = 0;
    if (integer(key, value, static_cast<int64_t>(std::numeric_limits<Integer>::min()), most<Integer>())) {
      out = static_cast<Integer>(value);
    }
  }
  template <class T>
  void get(const char* key, std::optional<T>& out) {
    T value{};
    const size_t before = taken_;
    get(key, value);
    if (taken_ != before) out = std::move(value);
  }

  /// Adds to what `finish` will tell.
  void complain(std::string sentence) { problems_.push_back(std::move(sentence)); }

  /// EINVAL with all problems. `operation`, `object`: of the error's sentence.
  [[nodiscard]] Result<void> finish(std::string operation, std::string object);

 private:
  using Value = std::variant<bool, int64_t, std::string, std::vector<std::string>>;

  static Result<Value> read_value(sd_bus_message* message, const std::string& key);
  template <class T>
  const T* take(const char* key, const char* expected);
  bool integer(const char* key, int64_t& out, int64_t least, int64_t most);
  template <class Integer>
  static constexpr int64_t most() {
    if constexpr (sizeof(Integer) < sizeof(int64_t) || std::is_signed_v<Integer>) {
      return static_cast<int64_t>(std::numeric_limits<Integer>::max());
    }
    return std::numeric_limits<int64_t>::max();
  }

  std::map<std::string, Value> members_;
  std::vector<std::string> known_;
  std::vector<std::string> problems_;
  size_t taken_ = 0;
};

}  // namespace gw::dbus
