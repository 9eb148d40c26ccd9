// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ctl/connect/jobs.h"
#include "ctl/connect/keeper.h"
#include "ctl/connect/ways.h"
#include "gatewayd/base/clock.h"
#include "gatewayd/events/loop.h"
#include "netlink/monitor.h"

namespace gw::connect {

/// `gwconnect run`: keeps all networks of a store as they should be, for as long as it runs. One thread on sd-event;
/// what has to wait for a gateway or a name server waits in a job. When it ends the tunnels stay.
class Service {
 public:
  /// `udp_retry`: where packets go through TLS, UDP is tried again after so long, then twice as long, up to six times.
  Service(const Store& store, const Clock& clock, std::chrono::seconds udp_retry)
      : store_(store), clock_(clock), udp_retry_(udp_retry) {}

  /// Until SIGTERM or SIGINT.
  Result<int> run();

 private:
  /// When something that failed is tried again: after a minute, then twice as long, up to six hours.
  struct Patience {
    UnixSeconds next = 0;
    UnixSeconds delay = 0;
    void failed(UnixSeconds now);
    [[nodiscard]] bool holds(UnixSeconds now) const;
  };

  Result<void> watch();
  Result<void> watch_store();
  Result<void> watch_kernel();
  void watch_networks();
  void soon();
  void pass();
  void tend(const Report& report, UnixSeconds now);
  /// What another proxy means to what waits, and whether the environment's had to be written down first.
  bool note_proxies(const Network& network);
  void start_renewal(const Network& network);
  void start_refresh(const std::string& id);
  void look_for_endpoint(const Network& network, UnixSeconds now);
  void finished(const std::string& id, const Result<void>& result);
  void tell(const std::vector<Report>& reports, UnixSeconds now);

  const Store& store_;
  const Clock& clock_;
  std::chrono::seconds udp_retry_;
  std::optional<events::Loop> loop_;
  std::optional<Keeper> keeper_;
  std::optional<nl::Monitor> monitor_;
  std::optional<Jobs> jobs_;
  std::optional<Ways> ways_;
  UniqueFd inotify_;
  events::Source terminate_, interrupt_, store_source_, kernel_source_, soon_, tick_;
  std::map<std::string, Patience> patience_;
  std::map<std::string, UnixSeconds> looked_up_;
  std::map<std::string, uint32_t> proxy_changes_;  ///< Network's, when it was looked at last
  std::map<std::string, std::string> told_;        ///< problems that were told of a network
};

}  // namespace gw::connect
