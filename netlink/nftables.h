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
  std::string protocol;  ///< "tcp", "udp", "icmp" (both versions)
  uint16_t first = 0;
  uint16_t last = 0;
  bool operator==(const OpenService&) const = default;
};

/// The fail-closed frame of DATAPLANE "Marks, NAT, the fail-closed frame", as the facts it is made from.
struct Frame {
  std::string table = "gatewayd";           ///< inet table name
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

/// The frame as a libnftables-json(5) document that replaces the table atomically. Its comment carries the hash of the rest.
std::string render(const Frame& frame);
/// 32 hex digits over render(frame).
std::string fingerprint(const Frame& frame);

/// Feeds the document to `nft -j -f -`. The error's detail is nft's own text.
Result<void> load_frame(const Frame& frame);
/// Hash of the live table as `nft -j list table` prints it, without handles and counters; nullopt when there is none.
Result<std::optional<std::string>> live_frame(const std::string& table);
Result<void> delete_frame(const std::string& table);

}  // namespace gw::nl
