// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bpf/image.h"
#include "gatewayd/base/result.h"
#include "gatewayd/config/config.h"
#include "gatewayd/policy/interner.h"

/// Rules -> decision tables (DATAPLANE "The verdict", docs/adr/0002). Pure: no I/O, no clock.
namespace gw::policy {

/// An exact address and what it is: a client's, or the gateway's own.
struct HostFacts {
  IpAddress address;
  std::string client;               ///< empty: the gateway itself
  std::vector<std::string> groups;  ///< groups of the client that exist in the configuration

  bool operator==(const HostFacts&) const = default;
};

/// Link ids by device name (config::Subnet::device()): what gw_prefix.link holds for a subnet. Never renumbered in the
/// life of `interner`, so adding a subnet moves no other; new devices are numbered in name order. The VPN link is
/// GW_LINK_ID_VPN.
std::map<std::string, uint32_t> link_ids(const config::Config& config, Interner& interner);

/// A compiled policy. Immutable; cheap to copy but for the image.
struct Compiled {
  bpf::PolicyImage image;
  /// Class of a host, or nullopt when no host of its kind was there at compile time: compile again. Its cost does not
  /// depend on the number of rules or clients: the host's groups, and one probe for each prefix length that rules name.
  [[nodiscard]] std::optional<uint32_t> class_of(const HostFacts& host) const;

  struct Lookup;                         // selectors that rules mention, literals, known signatures
  std::shared_ptr<const Lookup> lookup;  // immutable
};

/// Memory the tables take in the kernel, near enough: what `compile` holds against its budget.
size_t table_bytes(const bpf::PolicyImage& image);

/// Rules -> tables. Cost grows with rules and distinct host signatures, not with hosts. The gateway's own address as a
/// source matches no rule: what it sends itself is not judged. E2BIG when the tables would pass `budget_bytes`: the
/// detail names the rules that cost most. ENOSPC when the interner holds GW_MAX_RULES rule names. `interner` is
/// untouched on failure.
Result<Compiled> compile(const config::Config& config, std::span<const HostFacts> hosts, Interner& interner,
                         size_t budget_bytes = size_t{256} << 20U);

/// The name under which the rule that `interconnect: true` makes is interned and shown; it comes after all written
/// rules.
std::string interconnect_rule_name(const std::string& group);

}  // namespace gw::policy
