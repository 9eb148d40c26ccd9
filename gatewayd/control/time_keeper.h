// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/result.h"
#include "gatewayd/registry/registry.h"

namespace gw::control {

/// What time it is, as far as it can be believed (docs/adr/0004-time.md). Believed is the wall clock, but never less
/// than a floor that goes on with the time the machine runs: so a clock that is set back, or a boot in the past, gives
/// nobody access again. The floor rises to the wall clock only while that is synchronised, or when somebody vouches for
/// it: a clock that is wildly ahead ends access while it is so, and no longer. One thread.
class TimeKeeper {
 public:
  struct Sources {
    const Clock& wall;                     ///< CLOCK_REALTIME
    std::function<UnixSeconds()> running;  ///< seconds since boot, suspended ones included; empty: the time stands
    std::function<bool()> synchronised;    ///< adjtimex(2)
    bool trusted = false;                  ///< the wall clock is taken for right although nothing synchronises it
  };

  /// The floor comes from `registry`, which outlives this, and where the machine has not been booted since, more
  /// exactly from a note in `run_directory` (empty: there is none).
  TimeKeeper(registry::Registry& registry, const std::string& run_directory, Sources sources);

  /// Seconds that are believed; raises the floor when it may rise.
  UnixSeconds now();
  /// How far now() is ahead of the wall clock: 0 unless the clock is not believed.
  UnixSeconds ahead();
  /// Something that lasts was dated by the wall clock: that time has been, whatever the clock says later.
  void vouch();
  /// Access has ended: the floor is stored at once, so that no power cut brings it back.
  void keep();
  /// EAGAIN, with what to do: nothing that carries a date may be made now.
  [[nodiscard]] Result<void> check_may_date(const std::string& operation);
  /// What an operator has to know of the clock, for status; empty: nothing.
  std::string warning();
  [[nodiscard]] bool synchronised() const { return sources_.trusted || sources_.synchronised(); }
  /// What could not be stored, once; empty: nothing.
  std::string take_complaint() { return std::exchange(complaint_, {}); }

 private:
  [[nodiscard]] UnixSeconds running() const { return sources_.running ? sources_.running() : 0; }
  [[nodiscard]] UnixSeconds floor() const { return floor_ + (running() - floor_at_); }
  void read_note();
  void raise(UnixSeconds to);
  void store(UnixSeconds at, bool at_once);

  registry::Registry& registry_;
  std::string note_path_;
  Sources sources_;
  UnixSeconds floor_ = 0;     // believed when
  UnixSeconds floor_at_ = 0;  // the machine had run for so long
  std::string complaint_;
};

/// Lowers the floor of `registry` to `wall`, and forgets the note: for a floor that a wrong clock has raised. Returns
/// the floor before.
Result<UnixSeconds> reset_time(registry::Registry& registry, const std::string& run_directory, UnixSeconds wall,
                               const std::string& who);

}  // namespace gw::control
