// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <string>

#include "gatewayd/base/fd.h"
#include "gatewayd/control/sight.h"

namespace gw::control {

/// Whoever watches the verdicts, each with a socket of its own. Never waits for a reader: what does not fit into the
/// socket's buffer is lost to that reader, counted, and told with the next record that fits. One thread.
class Watchers {
 public:
  static constexpr size_t kMost = 16;

  /// The reader's end: SOCK_SEQPACKET, a record a message. EBUSY: too many watch already.
  Result<UniqueFd> add(WatchFilter filter);
  /// False when nobody watches, as far as is known.
  [[nodiscard]] bool any() const { return !watchers_.empty(); }

  void show(const Sighting& sighting);
  /// The programs kept `packets` events to themselves.
  void untold(uint64_t packets);
  /// Tells readers that have room again what they lost. False when some have none yet: ask again.
  bool settle();

 private:
  struct Watcher {
    UniqueFd fd;
    WatchFilter filter;
    uint64_t lost = 0, untold = 0;  // not told to it yet
    bool gone = false;
  };
  static bool send(Watcher& watcher, const std::string& record);
  static bool tell_owed(Watcher& watcher);
  void forget_gone();

  std::list<Watcher> watchers_;
};

}  // namespace gw::control
