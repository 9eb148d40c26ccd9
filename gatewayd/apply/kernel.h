// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"
#include "gatewayd/plan/plan.h"

namespace gw::apply {

/// Facts of the host that plans are made from, not things we own.
struct Facts {
  std::map<std::string, plan::Card> cards;   ///< by device
  std::vector<IpAddress> addresses;          ///< of every device
  std::map<std::string, uint32_t> mtu;       ///< by device
  std::map<std::string, std::string> state;  ///< by device: "up", "down", "no carrier"; a missing device is not in it
  std::map<std::string, std::vector<IpAddress>> device_addresses;
  bool operator==(const Facts&) const = default;
};

/// WireGuard's own counters of a peer.
struct PeerState {
  int64_t last_handshake = 0;  ///< Unix seconds; 0 never
  uint64_t rx_bytes = 0, tx_bytes = 0;
  std::string endpoint;  ///< "198.51.100.7:51820", "[2001:db8::1]:51820"; empty when unknown
};

/// The policy program's counters of a rule or a client.
struct Counter {
  uint64_t packets = 0, bytes = 0, flows = 0, denied = 0;
  uint64_t idle_ns = UINT64_MAX;  ///< since last seen; UINT64_MAX never
};

/// A tracked flow, and how long ago it was last used.
struct Flow {
  gw_flow_key key{};
  gw_flow entry{};
  uint64_t idle_ns = 0;
};

/// Some of the tracked flows; `next` is where to go on, 0: that was all.
struct FlowPage {
  std::vector<Flow> flows;
  uint64_t next = 0;
};

/// The boundary to the kernel: everything above it is testable without one (tests/support/fake_kernel.h). One thread.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Reads everything of ours back, normalised so that it compares with what was wanted. `desired` tells which devices,
  /// sysctls and site endpoints matter.
  virtual Result<plan::Observed> observe(const plan::KernelState& desired) = 0;
  /// Does one operation. `desired` gives image, hosts and frame; `key` the WireGuard private key. ENODEV, with the
  /// device's name as the object: the device is missing. EEXIST: a foreign object is in the way.
  virtual Result<void> execute(const plan::Operation& operation, const plan::Desired& desired,
                               const SecretKey& key) = 0;

  virtual Result<Facts> facts() = 0;
  virtual Result<std::map<PublicKey, PeerState>> peers(const std::string& device) = 0;
  [[nodiscard]] virtual std::string wireguard_implementation() const = 0;  ///< nl::WireGuard::implementation()
  virtual Result<uint64_t> generation() = 0;

  /// Rewrites wall minus monotonic in the programs' state: at start and whenever the clock is set. `ahead`: seconds by
  /// which the time that they judge by is ahead of the wall clock.
  virtual Result<void> sync_clock(int64_t ahead) = 0;
  virtual Result<Counter> rule_counter(uint32_t rule) = 0;
  virtual Result<Counter> client_counter(uint32_t client) = 0;
  virtual Result<void> clear_client_counter(uint32_t client) = 0;
  virtual Result<std::vector<uint64_t>> drop_counters() = 0;  ///< packets; index: enum gw_reason
  /// About `room` tracked flows, from the `next` of the page before (0: the first page). Flows that come or go
  /// meanwhile may be missed or seen twice. EINVAL: no such place.
  virtual Result<FlowPage> flows(uint64_t from, uint32_t room) = 0;
  virtual Result<uint64_t> count_flows() = 0;
  /// True when it was there. The next packet of either direction is judged as the first.
  virtual Result<bool> erase_flow(const gw_flow_key& key) = 0;
  /// Events that the programs kept to themselves since they were loaded, by enum gw_event_class.
  virtual Result<std::vector<uint64_t>> untold_events() = 0;
  /// What the loaded program says of the first packet `tuple` arriving on `device`.
  virtual Result<gw_explanation> explain(const gw_tuple& tuple, const std::string& device) = 0;
};

}  // namespace gw::apply
