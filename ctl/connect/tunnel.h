// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctl/connect/plan.h"
#include "netlink/link.h"
#include "netlink/wireguard.h"

namespace gw::connect {

/// The kernel's side of the networks: devices, addresses, routes, rules and WireGuard, changed by difference. Devices
/// are known as ours by their alias, routes and rules by their protocol; others' are never touched. Namespace of the
/// thread that opened it. One thread.
class Tunnels {
 public:
  /// ENOTSUP without any WireGuard; EPERM without CAP_NET_ADMIN.
  static Result<Tunnels> open();

  /// Blocks that this machine is in by devices that are not ours.
  Result<std::vector<LocalBlock>> local_blocks();

  struct Gateway {
    PublicKey key;
    /// Where it is; nothing leaves it where it is in the kernel, which follows a gateway that moves.
    std::optional<nl::UdpEndpoint> endpoint;
  };
  /// Adds what is missing and mends what differs; superfluous routes and rules are for `sweep`, which goes before. What
  /// refuses comes first and the routes last, so that a crash in between leaves a tunnel that is to fail closed closed.
  /// EEXIST when a device of that name, or another's route to the same place, is in the way.
  Result<void> keep(const Wanted& wanted, const SecretKey& secret, const Gateway& gateway);

  /// Takes away all that is ours and of none of these networks.
  Result<void> sweep(const std::vector<Plan>& plans);

  struct State {
    uint32_t ifindex = 0;
    bool up = false;
    std::optional<PublicKey> key;
    uint16_t listen_port = 0;  ///< of WireGuard on this machine
    nl::WgPeerState peer;
  };
  /// ENODEV when there is no such device, or it is not ours.
  Result<State> read(const std::string& id, const std::string& interface, const PublicKey& gateway);

  [[nodiscard]] std::string implementation() const { return wireguard_->implementation(); }

 private:
  Tunnels(nl::Socket socket, std::unique_ptr<nl::WireGuard> wireguard)
      : socket_(std::move(socket)), wireguard_(std::move(wireguard)) {}

  Result<nl::Link> keep_link(const Wanted& wanted);
  Result<void> keep_wireguard(const Wanted& wanted, const SecretKey& secret, const Gateway& gateway);
  Result<void> keep_addresses(const Wanted& wanted, uint32_t ifindex);
  /// Those that refuse, or those through the device.
  Result<void> keep_routes(const Wanted& wanted, bool refusing, uint32_t ifindex);
  Result<void> keep_rules(const Wanted& wanted);
  Result<void> sweep_links(const std::vector<Plan>& plans);
  Result<void> sweep_routes(const std::vector<Plan>& plans);
  Result<void> sweep_rules(const std::vector<Plan>& plans);

  nl::Socket socket_;
  std::unique_ptr<nl::WireGuard> wireguard_;
};

}  // namespace gw::connect
