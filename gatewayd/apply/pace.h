// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace gw::apply {

/// When to converge next: bursts of changes are gathered, failures are retried ever more slowly, and once in a while
/// the kernel is read even though nothing was heard. Pure: time is passed in (any monotonic clock), the daemon's timer
/// asks.
class Pace {
 public:
  using Time = std::chrono::milliseconds;

  static constexpr Time kQuiet{50};          ///< after the last change of a burst
  static constexpr Time kLongestBurst{500};  ///< after the first change of a burst, whether or not it has ended
  static constexpr Time kFirstRetry{1000};
  static constexpr Time kLongestRetry{60'000};
  static constexpr Time kAudit{60'000};  ///< after a success, without any change

  /// A run may take a tenth of the time: where others change the kernel without end (a routing daemon), nothing of ours
  /// is among it mostly, and reading all of it again and again would take the machine.
  static constexpr int kShare = 10;

  /// Something of ours may have changed.
  void changed(Time now);
  /// A converge begins; need not be told.
  void started(Time now) { started_ = now; }
  /// A converge has just ended. `clean`: it left nothing.
  void finished(Time now, bool clean);
  /// nullopt: nothing has to happen yet (before the first change).
  [[nodiscard]] std::optional<Time> next_run_at() const;

 private:
  std::optional<Time> first_change_;
  std::optional<Time> last_change_;
  std::optional<Time> later_;  // retry or audit
  std::optional<Time> started_;
  Time not_before_{0};
  Time retry_ = kFirstRetry;
};

}  // namespace gw::apply
