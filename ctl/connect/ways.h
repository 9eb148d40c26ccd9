// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ctl/connect/jobs.h"
#include "ctl/connect/keeper.h"
#include "ctl/connect/stream.h"
#include "ctl/connect/transport.h"

namespace gw::connect {

/// The ways that the tunnels' packets take: opens streams over TLS where UDP is shut, and ends them when it is open
/// again. What counts at the moment is in the store, as each network's Relay, so that every pass of whatever process
/// points WireGuard there. One thread, the loop's.
class Ways {
 public:
  /// `changed` is called when a network's Relay is another. All outlive it.
  Ways(const Store& store, const Clock& clock, Jobs& jobs, std::chrono::seconds udp_retry,
       std::function<void()> changed)
      : store_(store), clock_(clock), jobs_(jobs), udp_retry_(udp_retry), changed_(std::move(changed)) {}

  /// Forgets what a service before left behind.
  void clear();
  /// To be told of each pass.
  void tend(const std::vector<Report>& reports);
  /// Whether the next pass should come soon.
  [[nodiscard]] bool is_unsettled() const;

 private:
  struct Way {
    Transport transport;
    std::shared_ptr<DatagramStream> stream;               // none: UDP, or it is being opened
    uint16_t wireguard = 0;                               // the port on this machine that the stream is for
    std::optional<uint32_t> proxy_changes;                // Network's, when it was looked at last
    std::string stopped_for;                              // why the stream was told to stop
    std::string trouble;                                  // that was told
    UnixSeconds handshake = 0, handshake_at_trouble = 0;  ///< WireGuard's last, and the one when `trouble` came up
  };
  void look(const Report& report);
  void dial(const Network& network);
  void dialled(const std::string& id, const Result<void>& result, std::shared_ptr<DatagramStream> stream);
  Result<uint16_t> carry(const std::string& id, Way& way);
  void ended(const std::string& id, const Result<void>& result, bool udp_answers);
  void tell(const std::string& id, const std::optional<Relay>& relay);

  const Store& store_;
  const Clock& clock_;
  Jobs& jobs_;
  std::chrono::seconds udp_retry_;
  std::function<void()> changed_;
  std::map<std::string, Way> ways_;
};

}  // namespace gw::connect
