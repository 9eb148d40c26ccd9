// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

namespace gw::nl {

/// Address and UDP port of a peer.
struct UdpEndpoint {
  IpAddress address;
  uint16_t port = 0;
  auto operator<=>(const UdpEndpoint&) const = default;
};

/// Configuration of one peer: what we write and read back.
struct WgPeer {
  std::optional<UdpEndpoint> endpoint;  ///< compared only when wanted: peers roam
  uint16_t keepalive = 0;               ///< seconds, 0 off
  std::set<Prefix> allowed_ips;
  bool operator==(const WgPeer&) const = default;
};

/// What the implementation counted for a peer, and where it last heard it.
struct WgPeerState {
  int64_t last_handshake = 0;  ///< Unix seconds, 0 never
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
  std::optional<UdpEndpoint> endpoint;
  bool operator==(const WgPeerState&) const = default;
};

using WgPeers = std::map<PublicKey, WgPeer>;

struct WgDevice {
  std::optional<PublicKey> public_key;  ///< nullopt: no private key set
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;  ///< of the packets that carry the tunnel; 0 none
  WgPeers peers;
  std::map<PublicKey, WgPeerState> states;
};

/// A difference. Peers in `remove` go first, one that is not there is passed over; those in `set` are created, or their
/// allowed IPs replaced, and their keepalive and, where given, their endpoint set. An allowed IP that another peer has
/// moves.
struct WgChange {
  std::optional<SecretKey> private_key;
  std::optional<uint16_t> listen_port;
  std::optional<uint32_t> fwmark = std::nullopt;
  WgPeers set;
  std::set<PublicKey> remove;
};

/// A WireGuard implementation: the kernel's over generic netlink (include/uapi/linux/wireguard.h) or wireguard-go over
/// its socket protocol (https://www.wireguard.com/xplatform/). Namespace of the thread that made it. One thread.
///
/// A peer with the device's own public key is ignored by both. Preshared keys are never touched.
/// Userspace only: the socket /var/run/wireguard/NAME.sock is shared by all network namespaces of one mount namespace,
/// so there a name can be used once; and a busy port is told (EADDRINUSE) only when it is set on a device that is up.
class WireGuard {
 public:
  virtual ~WireGuard() = default;
  /// "kernel" or "userspace (wireguard-go), not for production".
  [[nodiscard]] virtual std::string implementation() const = 0;
  [[nodiscard]] virtual bool in_kernel() const = 0;
  /// Makes the device; EEXIST when there is one of that name, EINVAL for an impossible name. Userspace: starts
  /// wireguard-go as its own session, so that it outlives us, and returns when it answers; EIO with its own words when
  /// it will not run.
  virtual Result<void> create(const std::string& name) = 0;
  /// Empties the device first (a full one takes minutes to delete), then deletes it. ENODEV when there is none,
  /// EOPNOTSUPP when the device is of another kind. Userspace: returns when wireguard-go has let go of its socket.
  virtual Result<void> destroy(const std::string& name) = 0;
  virtual Result<WgDevice> read(const std::string& name) = 0;  ///< ENODEV and EOPNOTSUPP as in destroy
  /// Applies the difference in batches; only the peers named are touched. Not atomic: after an error the batches before
  /// it are applied, so read again. ENODEV and EOPNOTSUPP as in destroy.
  virtual Result<void> change(const std::string& name, const WgChange& change) = 0;
};

/// The kernel's when it has WireGuard, found out by making and deleting a device; else userspace; ENOTSUP when
/// wireguard-go is missing too, naming both packages. EPERM without CAP_NET_ADMIN.
Result<std::unique_ptr<WireGuard>> open_wireguard();
Result<std::unique_ptr<WireGuard>> open_kernel_wireguard();     ///< ENOTSUP when the kernel has none
Result<std::unique_ptr<WireGuard>> open_userspace_wireguard();  ///< ENOTSUP when wireguard-go is not in PATH

}  // namespace gw::nl
