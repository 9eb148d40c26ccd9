// SPDX-License-Identifier: Apache-2.0
#include "ctl/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

namespace gw::ctl {
namespace {

constexpr int64_t kMinute = 60;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kYear = 365 * kDay;

}  // namespace

std::string bytes(uint64_t count) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (count < 1024) return fmt::format("{} B", count);
  double value = static_cast<double>(count) / 1024;
  size_t unit = 0;
  // 1023.95 would print as 1024.0: it is the next unit's 1.0.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 9.95 ? fmt::format("{:.1f} {}", value, kUnits[unit]) : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string duration(int64_t seconds) {
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{} h", seconds / kHour);
  if (seconds < 2 * kYear) return fmt::format("{} days", seconds / kDay);
  return fmt::format("{} years", seconds / kYear);
}

std::string ago(UnixSeconds now, UnixSeconds then) {
  if (then == 0) return "never";
  if (now - then < 2) return "just now";
  return duration(now - then) + " ago";
}

std::string until(UnixSeconds now, UnixSeconds then) {
  if (then == 0) return "never";
  if (then < now) return "ended " + duration(now - then) + " ago";
  return "in " + duration(then - now);
}

std::string date(UnixSeconds when) {
  if (when == 0) return "-";
  std::tm parts{};
  const std::time_t time = when;
  if (gmtime_r(&time, &parts) == nullptr) return fmt::format("{}", when);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string plural(uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

}  // namespace gw::ctl
