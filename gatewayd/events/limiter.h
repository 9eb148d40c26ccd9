// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace gw::events {

/// Keeps a flood out of the log: lets `burst` lines through at once and `per_second` after that, and counts the rest.
/// Pure: time, of any monotonic clock, is passed in.
class Limiter {
 public:
  using Time = std::chrono::milliseconds;

  Limiter(uint32_t per_second, uint32_t burst) : per_second_(per_second), burst_(burst), tokens_(burst * kUnit) {}

  /// How many lines were kept back since the last that was let through; nullopt: keep this one back as well.
  std::optional<uint64_t> admit(Time now);
  /// The same number, which counts as told from now on.
  uint64_t take_suppressed() { return std::exchange(suppressed_, 0); }
  /// Lines kept back since the last that was let through.
  [[nodiscard]] uint64_t suppressed() const { return suppressed_; }

 private:
  static constexpr uint64_t kUnit = 1000;  // a line, in milli-lines

  uint64_t per_second_;
  uint64_t burst_;
  uint64_t tokens_;
  Time last_{0};
  uint64_t suppressed_ = 0;
};

}  // namespace gw::events
