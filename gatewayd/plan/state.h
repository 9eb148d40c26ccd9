// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "bpf/abi.h"
#include "bpf/image.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

/// The kernel objects that gatewayd owns, by device *name* (an index exists only once the device does). The same
/// structs say what is wanted and what is there, so that a difference is a comparison. Passive values; no I/O, no
/// clock.
namespace gw::plan {

struct WireGuardLink {
  std::string name;
  uint32_t mtu = 1420;
  bool up = true;
  bool operator==(const WireGuardLink&) const = default;
};

struct VlanLink {
  std::string name;
  std::string parent;
  uint16_t vlan = 0;
  bool up = true;
  bool operator==(const VlanLink&) const = default;
};

struct Address {
  std::string device;
  IpAddress address;
  uint8_t length = 0;
  auto operator<=>(const Address&) const = default;
};

struct Route {
  Prefix dst;
  std::optional<IpAddress> via;
  std::string device;
  auto operator<=>(const Route&) const = default;
};

struct Peer {
  std::set<Prefix> allowed_ips = {};
  uint16_t keepalive = 0;
  /// Of sites that we initiate to; in Observed only filled for those.
  std::optional<std::pair<IpAddress, uint16_t>> endpoint = {};
  bool operator==(const Peer&) const = default;
};

struct WireGuardState {
  std::string device;  ///< empty: there is none
  std::optional<PublicKey> public_key = {};
  uint16_t listen_port = 0;
  std::map<PublicKey, Peer> peers = {};
  bool operator==(const WireGuardState&) const = default;
};

struct Host {
  uint32_t class_id = 0;
  uint32_t client = 0;
  uint32_t flags = 0;
  uint64_t valid_until_ns = UINT64_MAX;
  bool operator==(const Host&) const = default;
};

struct LinkEntry {
  uint32_t link = 0;
  uint32_t flags = 0;
  std::vector<uint16_t> vlans = {};
  // For the fast path, where a flag says that it is on.
  std::array<uint8_t, 6> mac = {};  ///< that frames for the gateway carry
  std::string out = {};             ///< the card; for a VLAN device its parent
  uint16_t out_vid = 0;             ///< the VLAN device's
  bool operator==(const LinkEntry&) const = default;
};

enum class Hook : uint8_t { vpn_ingress, vpn_egress, subnet_ingress, xdp, guard_ingress, guard_xdp };

struct Attachment {
  std::string device;
  Hook hook = Hook::subnet_ingress;
  auto operator<=>(const Attachment&) const = default;
};

/// The policy as the kernel holds it: which image, and every exact address.
struct PolicyState {
  std::string fingerprint;
  std::map<IpAddress, Host> hosts;
  std::map<std::string, LinkEntry> links;  ///< by device; Observed: "ifindex 7" where the device is gone
  bool operator==(const PolicyState&) const = default;
};

/// What the guard at the public interface knows of our WireGuard.
struct GuardSettings {
  uint16_t port = 0;         ///< 0: it was never told
  uint32_t initiations = 0;  ///< a second and source address; 0 is no limit
  PublicKey public_key = {};
  bool operator==(const GuardSettings&) const = default;
};

struct GuardState {
  GuardSettings settings;
  /// The deny list: until when, wall clock in nanoseconds; UINT64_MAX is no end. Desired: never ends before a wider
  /// one, since the kernel asks only the narrowest.
  std::map<Prefix, uint64_t> blocks;
  bool operator==(const GuardState&) const = default;
};

/// The nftables frame: what it was rendered from, as one hash. Observed: the hash in the live table's comment, or
/// "edited" when the live table is not what we loaded, or empty when there is none.
struct FirewallState {
  std::string fingerprint;
  bool operator==(const FirewallState&) const = default;
};

/// Everything that is ours.
struct KernelState {
  std::map<std::string, WireGuardLink> vpns;  ///< by name; wanted is one, there may be another under a former name
  std::map<std::string, VlanLink> vlans;      ///< by name
  std::set<Address> addresses;
  std::set<Route> routes;
  WireGuardState wireguard;  ///< of the wanted VPN device
  PolicyState policy;
  GuardState guard;
  std::set<Attachment> attachments;
  FirewallState firewall;
  /// "net.ipv4.ip_forward" -> "1"; Observed: those of Desired. A dot inside a device's name is written as a slash, as
  /// in sysctl.d(5): "net.ipv4.conf.eth1/20.rp_filter".
  std::map<std::string, std::string> sysctls;
  bool operator==(const KernelState&) const = default;
};

using Observed = KernelState;

}  // namespace gw::plan
