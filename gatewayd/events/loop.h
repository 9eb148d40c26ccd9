// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-event.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/result.h"

/// sd-event behind RAII: what the daemon waits for, in one thread. Callbacks run inside run(), one at a time; none may
/// destroy the source that calls it.
namespace gw::events {

struct EventUnref {
  void operator()(sd_event* event) const { sd_event_unref(event); }
};

/// An event loop of one thread.
class Loop {
 public:
  static Result<Loop> open();

  [[nodiscard]] sd_event* get() const { return event_.get(); }
  /// Runs until exit(); returns the code given there.
  Result<int> run();
  void exit(int code);
  /// Answers the watchdog of the service manager, where it asks for that (WATCHDOG_USEC), from within run().
  Result<void> serve_watchdog();

 private:
  explicit Loop(sd_event* event) : event_(event) {}
  std::unique_ptr<sd_event, EventUnref> event_;
};

/// One thing the loop waits for. Ends with the object. Movable.
class Source {
 public:
  using Callback = std::function<void()>;

  Source() = default;

  /// `fd` is readable; it stays the caller's and has to outlive the source.
  static Result<Source> readable(const Loop& loop, int fd, Callback callback);
  /// A signal of the process, which is blocked for the thread so that it comes this way only.
  static Result<Source> signal(const Loop& loop, int number, Callback callback);
  /// A timer, not set. `clock` is CLOCK_MONOTONIC, or CLOCK_REALTIME for one that follows the clock when it is set.
  /// Calls back once for each time it is set.
  static Result<Source> timer(const Loop& loop, clockid_t clock, Callback callback);

  /// Timers only: at this time of the clock, to the microsecond. A time in the past is now.
  Result<void> set_at(uint64_t microseconds);
  /// Timers only: so long from now.
  Result<void> set_after(uint64_t microseconds);
  void stop();

 private:
  struct Unref {
    void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
  };
  Source(sd_event_source* source, std::unique_ptr<Callback> callback)
      : callback_(std::move(callback)), source_(source) {}

  std::unique_ptr<Callback> callback_;  // on the heap: the loop holds its address
  std::unique_ptr<sd_event_source, Unref> source_;
};

}  // namespace gw::events
