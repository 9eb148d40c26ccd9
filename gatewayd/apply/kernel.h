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
struct HostFacts {
  std::vector<IpAddress> addresses;         ///< of every device
  std::map<std::string, uint32_t> mtu;      ///< by device
  std::map<std::string, std::string> state; ///< by device: "up", "down", "no carrier"
  std::map<std::string, std::vector<std::string>> device_addresses;
};

/// WireGuard's own counters of a peer.
struct PeerState {
  int64_t last_handshake = 0;
  uint64_t rx_bytes = 0, tx_bytes = 0;
  std::string endpoint;
};

/// The boundary to the kernel: everything above it is testable without one. One thread.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Reads everything of ours back. `desired` tells which devices, sysctls and site endpoints matter.
  virtual Result<plan::Observed> observe(const plan::KernelState& desired) = 0;
  /// Does one operation. `desired` gives image, hosts and frame; `key` the WireGuard private key.
  virtual Result<void> execute(const plan::Operation& operation, const plan::Desired& desired, const SecretKey& key) = 0;

  virtual Result<HostFacts> facts() = 0;
  virtual Result<std::map<PublicKey, PeerState>> peers(const std::string& device) = 0;
  [[nodiscard]] virtual std::string wireguard_implementation() const = 0;
  virtual Result<uint64_t> generation() = 0;
};

}  // namespace gw::apply
