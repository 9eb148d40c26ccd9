// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/plan/state.h"
#include "gatewayd/policy/compile.h"
#include "netlink/nftables.h"

/// intent -> Desired -> Plan. Pure: no I/O, no clock, value types only. (nl::Frame is a value type.)
namespace gw::plan {

/// A client as the kernel has to know it: only those with access are passed in.
struct Client {
  uint32_t number = 0;
  std::string name;
  PublicKey wireguard;
  std::vector<std::string> groups;
  std::vector<IpAddress> addresses;
  uint64_t valid_until_ns = UINT64_MAX;  ///< wall clock: one past the last nanosecond of not_after's second
  bool operator==(const Client&) const = default;
};

/// What an Ethernet card of the host can do (netlink/card.h).
struct Card {
  std::array<uint8_t, 6> mac = {};
  bool native_xdp = false;
  bool transmits = false;         ///< takes redirected frames
  bool defers_checksums = false;  ///< veth: what a redirect sends on may carry a wrong checksum
  bool strips_vlan = false;       ///< the XDP program would not see tags
  bool loses_frames = false;      ///< its driver, or another's, failed to send what was redirected
  std::string trouble = {};       ///< its driver said that it has XDP, and then refused: why
  bool operator==(const Card&) const = default;
};

/// Everything that decides what the kernel should look like.
struct Intent {
  config::Config config;
  std::map<uint32_t, Client> clients;         ///< by number
  PublicKey public_key;                       ///< the gateway's own
  std::map<Prefix, uint64_t> blocks;          ///< the deny list; those that have ended are not passed in
  std::map<std::string, IpAddress> resolved;  ///< endpoint host names of sites
  /// Facts of the host, which the reconciler reads anew each time: all addresses of the gateway except those on our own
  /// devices, so that zone `gateway` follows them, and the uplink's MTU (nullopt: unknown, 1500 is assumed).
  std::vector<IpAddress> gateway_addresses;
  std::optional<uint32_t> uplink_mtu;
  std::map<std::string, Card> cards;  ///< by device
};

/// What is wanted, with what is needed to do it.
struct Desired : KernelState {
  policy::Compiled compiled;  ///< whose image has policy.fingerprint
  nl::Frame frame;            ///< whose fingerprint is firewall.fingerprint
};

/// ENOSPC/E2BIG from the policy compiler and nothing else: the configuration has been validated.
Result<Desired> compile(const Intent& intent, policy::Interner& interner);

/// The frame alone, which follows from the configuration and nothing else.
nl::Frame frame_of(const config::Config& config);

/// The parts of Desired that follow from one client alone, so that one can be put without compiling all.
Peer client_peer(const Client& client);
Host client_host(const Client& client, uint32_t class_id);
/// What decides the class of one of its addresses; groups that the configuration does not have grant nothing.
policy::HostFacts client_facts(const Client& client, const IpAddress& address, const config::Config& config);

struct FastPath {
  std::set<std::string> devices;  ///< between which established flows take it; none, or at least two
  std::string why_not;            ///< why it is off, or which cards cannot take part: "eth1: no XDP in its driver"
};
FastPath fast_path(const Intent& intent);

/// Where the guard of the public interface runs.
struct GuardPlace {
  Hook hook = Hook::guard_ingress;
  std::string why_not;  ///< why it is not XDP
};
GuardPlace guard_place(const Intent& intent);

/// vpn.mtu, else 1420 or what the uplink leaves after WireGuard's 80 bytes, but never below 1280, which IPv6 needs.
uint32_t vpn_mtu(const config::Vpn& vpn, std::optional<uint32_t> uplink_mtu);

// One thing to do. Names are devices; the executor resolves them.
struct CreateVpnLink {
  WireGuardLink link;
};
struct CreateVlanLink {
  VlanLink link;
};
struct SetMtu {
  std::string device;
  uint32_t mtu = 0;
};
struct SetUp {
  std::string device;
  bool up = true;
};
struct DeleteLink {
  std::string device;
  bool wireguard = false;
};
struct AddAddress {
  Address address;
};
struct DeleteAddress {
  Address address;
};
struct AddRoute {
  Route route;
};
struct DeleteRoute {
  Route route;
};
/// Key or port when they differ; peers to remove, to create and to change.
struct ChangeWireGuard {
  std::string device;
  bool set_key = false;
  std::optional<uint16_t> listen_port = {};
  std::set<PublicKey> remove = {};
  std::map<PublicKey, Peer> add = {};
  std::map<PublicKey, Peer> change = {};
};
struct InstallPolicy {};  ///< image and all hosts of Desired: a slot swap
struct PutHost {
  IpAddress address;
  Host host;
};
struct EraseHost {
  IpAddress address;
};
struct BumpGeneration {};
struct PutLinkEntry {
  std::string device;
  LinkEntry entry;
};
struct EraseLinkEntry {
  std::string device;
};
struct PutGuard {
  GuardSettings settings;
};
struct PutBlock {
  Prefix prefix;
  uint64_t until_ns = 0;
};
struct EraseBlock {
  Prefix prefix;
};
struct Attach {
  Attachment attachment;
};
struct Detach {
  Attachment attachment;
};
struct LoadFirewall {};  ///< frame of Desired
struct DeleteFirewall {};
struct SetSysctl {
  std::string name;
  std::string value;
};

using Operation = std::variant<CreateVpnLink, CreateVlanLink, SetMtu, SetUp, DeleteLink, AddAddress, DeleteAddress,
                               AddRoute, DeleteRoute, ChangeWireGuard, InstallPolicy, PutHost, EraseHost,
                               BumpGeneration, PutLinkEntry, EraseLinkEntry, PutGuard, PutBlock, EraseBlock, Attach,
                               Detach, LoadFirewall, DeleteFirewall, SetSysctl>;

/// One line for `gwctl plan` and the log: "+ address 172.16.201.1/24 on wg0", "- peer yAnz5TF+… on wg0", "~ policy".
std::string describe(const Operation& operation);
/// The device that it works on; empty where it works on none (policy, hosts, the frame, sysctls of the whole host).
std::string device_of(const Operation& operation);

/// Whether the gateway is no gateway, or lets pass what it should not, until this is done: the tunnel's device, its key
/// and peers, policy, frame, guard, forwarding. Addresses, routes, VLANs and the fast path are not among them.
bool is_essential(const Operation& operation);

/// The two sysctls that turn the host into a router, which every plan sets last.
bool is_forwarding(const std::string& sysctl);

/// Operations in the order in which they have to be done (DESIGN §6: add before remove; policy before the interface
/// comes up and before forwarding is enabled; removals in reverse).
using Plan = std::vector<Operation>;

/// What must happen for `observed` to become `desired`. Foreign objects are never in the result: Observed holds only
/// ours.
Plan diff(const KernelState& desired, const Observed& observed);

}  // namespace gw::plan
