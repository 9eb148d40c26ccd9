// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "bpf/image.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

namespace gw::bpf {

enum class Hook : uint8_t {
  vpn_ingress,     ///< WireGuard device, TC ingress, layer 3
  vpn_egress,      ///< WireGuard device, TC egress
  subnet_ingress,  ///< Ethernet device, TC ingress
  xdp,             ///< Ethernet card, native XDP
  guard_ingress,   ///< public interface, TC ingress, in front of the policy
  guard_xdp,       ///< public interface, native XDP: the guard, then what `xdp` does; never both on one card
};

/// A program of ours on an interface, as the kernel reports it.
struct Attachment {
  uint32_t ifindex = 0;
  Hook hook = Hook::subnet_ingress;
  auto operator<=>(const Attachment&) const = default;
};

struct Host {
  uint32_t class_id = GW_CLASS_NONE;
  uint32_t client = 0;
  uint32_t flags = 0;
  uint64_t valid_until_ns = UINT64_MAX;
  bool operator==(const Host&) const = default;
};
using Hosts = std::map<IpAddress, Host>;

struct Link {
  uint32_t link = 0;
  uint32_t flags = 0;
  std::vector<uint16_t> vlans = {};  ///< for GW_LINK_PARENT
  std::array<uint8_t, 6> mac = {};   ///< for GW_LINK_FAST, of the card
  uint32_t out_ifindex = 0;          ///< for GW_LINK_FAST and GW_LINK_FAST_OUT: the card, of a VLAN device its parent
  uint16_t out_vid = 0;              ///< the VLAN device's
  bool operator==(const Link&) const = default;
};

struct Counter {
  uint64_t packets = 0, bytes = 0, flows = 0, denied = 0;
  uint64_t idle_ns = UINT64_MAX;  ///< since last seen; UINT64_MAX never
};

/// An entry of the flow tables, and how long ago it was last used.
struct Flow {
  gw_flow_key key{};
  gw_flow entry{};
  uint64_t idle_ns = 0;
};

/// Some of the flows. `next` is where to go on, 0: that was all.
struct FlowPage {
  std::vector<Flow> flows;
  uint64_t next = 0;
};
/// What the guard knows of the gateway's WireGuard.
struct Guard {
  uint16_t port = 0;         ///< 0: only the deny list counts
  uint32_t initiations = 0;  ///< handshake initiations a second and source address; 0 is no limit
  PublicKey public_key;      ///< the gateway's own
  bool operator==(const Guard&) const = default;
};

/// The deny list: until when (wall clock, nanoseconds; UINT64_MAX: no end) nothing from a prefix reaches the gateway's
/// addresses over the public interface.
using Blocks = std::map<Prefix, uint64_t>;

/// The pinned programs and maps of one gateway instance. Owns file descriptors only: everything stays in the kernel
/// when it is destroyed. One thread. Every call tells errno and, for loads, the verifier's log.
class Dataplane {
 public:
  /// Loads the programs and opens or creates the pinned maps under `pin_directory` (BPFFS/INSTANCE/abi-N; made if
  /// missing, the file system must be a bpffs: ENOTSUP says how to mount one). Maps that are there are kept with their
  /// content; programs of this build that are there are used again, so that what they are attached to counts. EINVAL or
  /// EEXIST: a pin of another layout is in the way. EPERM: names the missing ones of CAP_BPF, CAP_NET_ADMIN,
  /// CAP_PERFMON.
  static Result<Dataplane> open(const std::string& pin_directory);

  Dataplane(Dataplane&&) noexcept;
  Dataplane& operator=(Dataplane&&) noexcept;
  ~Dataplane();

  /// Fingerprint of the image in the active slot; empty before the first install.
  [[nodiscard]] Result<std::string> installed() const;
  /// Fills the inactive slot with `image`, gives every host its class there, and flips the word {generation + 1, slot}.
  /// Hosts not in `hosts` are deleted first. Waits for a grace period at the end, so the old slot is free. A failure
  /// leaves the active slot as it was.
  Result<void> install(const PolicyImage& image, const Hosts& hosts);

  [[nodiscard]] Result<Hosts> hosts() const;  ///< with the class of the active slot
  /// The class is that of the active slot. Bumps the generation when the entry was another before: open flows follow.
  Result<void> put_host(const IpAddress& address, const Host& host);
  /// Success when it was not there. Bumps the generation when it was.
  Result<void> erase_host(const IpAddress& address);
  /// All flows are judged again by their next packet.
  Result<uint64_t> bump_generation();
  [[nodiscard]] uint64_t generation() const;

  [[nodiscard]] Result<std::map<uint32_t, Link>> links() const;  ///< by ifindex
  Result<void> put_link(uint32_t ifindex, const Link& link);
  Result<void> erase_link(uint32_t ifindex);  ///< with its VLANs; success when it was not there

  /// As put_guard left it; a default value when it was never set, or when the state of mac1 is not that of the key.
  [[nodiscard]] Result<Guard> guard() const;
  Result<void> put_guard(const Guard& guard);
  [[nodiscard]] Result<Blocks> blocks() const;  ///< those that have ended among them
  /// ENOSPC: there are GW_MAX_BLOCKS. EINVAL: an IPv6 prefix that holds mapped IPv4 addresses.
  Result<void> put_block(const Prefix& prefix, uint64_t until_ns);
  Result<void> erase_block(const Prefix& prefix);  ///< success when it was not there

  /// What is attached on `ifindex`, current build only: a filter of an older build does not count, and `attach`
  /// replaces it atomically.
  [[nodiscard]] Result<std::vector<Attachment>> attachments(uint32_t ifindex) const;
  /// In XDP: EOPNOTSUPP or EINVAL when the driver cannot, EBUSY when a program of someone else is there.
  Result<void> attach(const Attachment& attachment);
  /// Success when nothing of ours is there. The clsact queueing discipline stays: others may have filters on it.
  Result<void> detach(const Attachment& attachment);

  /// Rewrites wall minus monotonic, `ahead` of the wall clock; call at start and when the clock is set. `open` does it
  /// for fresh maps alone: in others the programs judge by what was believed before.
  Result<void> sync_clock(std::chrono::seconds ahead = {});

  [[nodiscard]] Result<Counter> rule_counter(uint32_t rule) const;
  [[nodiscard]] Result<Counter> client_counter(uint32_t client) const;
  Result<void> clear_client_counter(uint32_t client);
  [[nodiscard]] Result<std::vector<uint64_t>> reasons() const;  ///< index: enum gw_reason
  /// Packets that the fast path handed to a driver which then failed; those lost to a full queue are not in it. Counts
  /// while this object lives.
  [[nodiscard]] Result<uint64_t> fast_errors() const;
  [[nodiscard]] Result<gw_explanation> explain(const gw_tuple& tuple, uint32_t ifindex) const;

  /// About `room` flows out of all tables, from the `next` of the page before (0: the first page). Flows that come or
  /// go meanwhile may be missed or seen twice. EINVAL: no such place.
  [[nodiscard]] Result<FlowPage> flows(uint64_t from, uint32_t room) const;
  [[nodiscard]] Result<uint64_t> count_flows() const;  ///< reads them all: some ten ms for a full table
  /// True when it was there. The next packet of either direction is judged as the first.
  Result<bool> erase_flow(const gw_flow_key& key);

  /// Events that the programs did not tell, by enum gw_event_class: kept back by their rate, or the ring was full.
  [[nodiscard]] Result<std::vector<uint64_t>> untold() const;

  /// For sd-event: readable when events wait; `drain` calls back for each.
  [[nodiscard]] int event_fd() const;
  Result<void> drain(const std::function<void(const gw_event&)>& handle);

  struct Impl;

 private:
  explicit Dataplane(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Unpins programs and maps of other layouts of the instance: the abi-N beside `pin_directory`. Call when nothing of
/// them is attached any more; what is stays in the kernel until it is replaced. Returns the directories that are gone.
Result<std::vector<std::string>> remove_other_layouts(const std::string& pin_directory);

}  // namespace gw::bpf
