// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/result.h"

namespace gw::nl {

/// A service of the gateway itself that is open on the public side.
struct OpenService {
  std::string protocol;  ///< "tcp", "udp", "icmp" (echo requests of both versions), "proto", "any"
  uint16_t first = 0;    ///< ports, inclusive, 0 to 65535: all; of "proto" the numbers that IANA gives IP protocols
  uint16_t last = 0;
  bool operator==(const OpenService&) const = default;
};

/// The fail-closed frame of DATAPLANE "Marks, NAT, the fail-closed frame", as the facts it is made from.
///
/// Marks are the contract with the policy program: ALLOW alone means forwarded and not tracked; ALLOW with NAT means
/// tracked, and masqueraded when it leaves by one of `masquerade_out`. A packet to the gateway itself that a rule
/// allows must carry ALLOW *and* NAT: tracked from its first packet, it is told apart from replies to what the gateway
/// began, so that taking the rule away ends its open flows too.
///
/// The public interface may be an inner one as well (one network card): then its public rules apply, what carries ALLOW
/// is accepted in addition, and forwarding between it and interfaces that are not ours is foreign, not dropped for it.
struct Frame {
  std::string table = "gatewayd";  ///< inet table name
  std::string public_interface;
  std::string vpn_interface;
  std::vector<std::string> inner_interfaces;  ///< subnet devices, sorted
  uint16_t wireguard_port = 0;
  std::vector<OpenService> open;
  bool masquerade = false;                  ///< there is a nat: entry
  std::vector<std::string> masquerade_out;  ///< devices, sorted
  bool drop_foreign_forward = false;
  uint32_t mark_allow = 0, mark_nat = 0, mark_reject = 0;
  bool operator==(const Frame&) const = default;
};

/// What live_frame answers for a table that is there but is not, rule for rule, what load_frame left.
inline constexpr const char* kEditedFrame = "edited";

/// EINVAL, with what is wrong, for a frame that must not be loaded: an empty or impossible interface name, marks that
/// are zero or share bits (a mask of zero would match every packet), no WireGuard port, a service without a port.
Result<void> validate(const Frame& frame);

/// The frame as a libnftables-json(5) document that replaces the table in one transaction. Deterministic.
std::string render(const Frame& frame);
/// 32 hex digits: SHA-256 over render(frame), cut to 128 bits.
std::string fingerprint(const Frame& frame);

/// Validates, feeds the document to nft, then reads the table back and records in it the fingerprint and a
/// hash of what nft lists. The error's detail is nft's own text; the old table stays when the new one is refused. Needs
/// CAP_NET_ADMIN (EPERM) and nft in PATH (ENOTSUP). Blocks for the three runs of nft, some tens of milliseconds.
Result<void> load_frame(const Frame& frame);
/// The fingerprint of the frame that was loaded, when the live table still is what it was then (handles and counters do
/// not count); kEditedFrame when it is not; nullopt when there is no such table.
Result<std::optional<std::string>> live_frame(const std::string& table);
/// Deletes the table; ENOENT when there is none.
Result<void> delete_frame(const std::string& table);

}  // namespace gw::nl
