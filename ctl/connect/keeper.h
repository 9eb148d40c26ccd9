// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ctl/connect/dns.h"
#include "ctl/connect/store.h"
#include "ctl/connect/tunnel.h"

namespace gw::connect {

/// A network as it is now.
struct Report {
  Network network;
  std::optional<Tunnels::State> state;  ///< none: no tunnel
  std::string dns;                      ///< a phrase: "172.16.201.1 for vpn.internal", "unchanged: …"
  std::vector<std::string> problems;    ///< a sentence each

  /// Whether packets can be expected to pass: a handshake not older than WireGuard lets a session live.
  [[nodiscard]] bool is_up(UnixSeconds now) const;
};

inline constexpr UnixSeconds kSessionLife = 180;  ///< WireGuard's REJECT_AFTER_TIME (whitepaper §6.1)

/// Brings kernel and systemd-resolved to what the store says, as often as is asked. Several processes may: each pass
/// holds the store's lock. One thread.
class Keeper {
 public:
  static Result<Keeper> open(const Store& store);

  /// One pass; what fails for one network is a problem of its own and does not keep the others from theirs. An error
  /// only when nothing could be done at all.
  Result<std::vector<Report>> pass(UnixSeconds now);
  /// Takes every tunnel away, and what holds traffic back in their place; the next pass makes them anew.
  Result<void> take_down();
  /// What `pass` would find, without changing anything.
  Result<std::vector<Report>> look(UnixSeconds now);

 private:
  Keeper(const Store& store, Tunnels tunnels) : store_(store), tunnels_(std::move(tunnels)) {}

  Result<std::vector<Plan>> plans(const Store::Networks& all);
  Report start_report(const Network& network, const std::vector<Plan>& plans, UnixSeconds now);
  void read_state(Report& report);
  void look_at_dns(Report& report);
  void keep(const Plan& plan, Report& report, UnixSeconds now);
  void keep_dns(Report& report);

  const Store& store_;
  Tunnels tunnels_;
  Resolved resolved_;
  std::map<std::string, nl::UdpEndpoint> told_;  ///< endpoints that were put into the kernel
  struct Dns {
    uint32_t ifindex = 0;
    Profile profile;
  };
  std::map<std::string, Dns> dns_;  ///< what systemd-resolved was given
};

/// Where the gateway's WireGuard is: the one place that knows, so that another transport can stand in by a port of this
/// machine. Nothing while its name is not known.
std::optional<nl::UdpEndpoint> endpoint_of(const Network& network);
/// Where UDP finds it, whatever stands in.
std::optional<nl::UdpEndpoint> direct_endpoint(const Network& network);

}  // namespace gw::connect
