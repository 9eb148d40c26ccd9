// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/time_keeper.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "gatewayd/base/file.h"

namespace gw::control {
namespace {

constexpr const char* kNote = "/time-floor";
// Less is what daemons correct clocks by; it is not worth a word.
constexpr UnixSeconds kNotable = 60;
// Two clocks that are read in whole seconds, one after the other.
constexpr UnixSeconds kRounding = 2;

std::string boot_id() { return read_file("/proc/sys/kernel/random/boot_id").value_or("\n"); }

std::string utc(UnixSeconds at) { return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(at)); }

std::string note_path(const std::string& run_directory) {
  return run_directory.empty() ? std::string() : run_directory + kNote;
}

}  // namespace

TimeKeeper::TimeKeeper(registry::Registry& registry, const std::string& run_directory, Sources sources)
    : registry_(registry), note_path_(note_path(run_directory)), sources_(std::move(sources)) {
  floor_ = registry_.time_floor();
  floor_at_ = running();
  read_note();
}

// Floor, the running time it was true at, and the boot that this was in.
void TimeKeeper::read_note() {
  const auto text = note_path_.empty() ? Result<std::string>("") : read_file(note_path_);
  if (!text) return;
  std::istringstream stream(*text);
  UnixSeconds noted = 0;
  UnixSeconds noted_at = 0;
  std::string boot;
  if (!(stream >> noted >> noted_at >> boot) || boot + "\n" != boot_id()) return;
  if (noted - noted_at <= floor_ - floor_at_) return;
  floor_ = noted;
  floor_at_ = noted_at;
}

UnixSeconds TimeKeeper::now() {
  const UnixSeconds wall = sources_.wall.now();
  if (sources_.synchronised()) raise(wall);
  store(floor(), false);
  return floor() > wall + kRounding ? floor() : wall;
}

UnixSeconds TimeKeeper::ahead() {
  const UnixSeconds at = now();
  return at - sources_.wall.now();
}

void TimeKeeper::vouch() {
  raise(sources_.wall.now());
  keep();
}

void TimeKeeper::keep() { store(floor(), true); }

void TimeKeeper::raise(UnixSeconds to) {
  if (to <= floor()) return;
  floor_ = to;
  floor_at_ = running();
  if (note_path_.empty()) return;
  const auto noted = write_file_atomically(note_path_, fmt::format("{} {} {}", floor_, floor_at_, boot_id()), 0600);
  if (!noted) complaint_ = noted.error().message();
}

void TimeKeeper::store(UnixSeconds at, bool at_once) {
  const auto stored = registry_.raise_time_floor(at, at_once);
  if (!stored) complaint_ = stored.error().message();
}

Result<void> TimeKeeper::check_may_date(const std::string& operation) {
  // A machine without a clock starts in the past: certificates made then would have ended when the clock is right.
  constexpr UnixSeconds kEarliest = 1'735'689'600;  // 2025-01-01, before this program was written
  const UnixSeconds wall = sources_.wall.now();
  if (wall < kEarliest) {
    return failure(EAGAIN, operation, {},
                   "the clock is wrong, it is before 2025: set it (timedatectl), then try again");
  }
  if (!synchronised()) {
    return failure(EAGAIN, operation, {},
                   "the clock is not synchronised, and the dates would be wrong with it: turn NTP on (timedatectl "
                   "set-ntp true) and try again; where the clock is right without, start gatewayd with --trust-clock");
  }
  if (ahead() >= kNotable) {
    return failure(EAGAIN, operation, {},
                   fmt::format("the clock says {}, but {} has been already: set it (timedatectl); where it is right, "
                               "stop gatewayd and run gatewayd --reset-time once",
                               utc(wall), utc(now())));
  }
  return {};
}

std::string TimeKeeper::warning() {
  if (ahead() >= kNotable) {
    return fmt::format(
        "the clock is not believed: it says {}, but {} has been already, and goes on from there; set "
        "the clock (timedatectl), or run gatewayd --reset-time where it is right",
        utc(sources_.wall.now()), utc(now()));
  }
  if (!synchronised())
    return "the clock is not synchronised: ends of access go by it, and no certificates are issued; turn NTP on "
           "(timedatectl set-ntp true), or start gatewayd with --trust-clock where the clock is right without";
  return {};
}

Result<UnixSeconds> reset_time(registry::Registry& registry, const std::string& run_directory, UnixSeconds wall,
                               const std::string& who) {
  const UnixSeconds before = registry.time_floor();
  if (auto done = registry.reset_time_floor(wall, who); !done) return std::unexpected(done.error());
  if (::unlink(note_path(run_directory).c_str()) != 0 && errno != ENOENT)
    return failure(errno, "remove", note_path(run_directory));
  return before;
}

}  // namespace gw::control
