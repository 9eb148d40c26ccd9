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

namespace gw::policy {

/// An exact address and what it is: a client's, or the gateway's own.
struct HostFacts {
  IpAddress address;
  std::string client;               ///< empty: the gateway itself
  std::vector<std::string> groups;  ///< groups of the client that exist in the configuration

  bool operator==(const HostFacts&) const = default;
};

/// Gives names and class signatures numbers that are never reused or renumbered while pinned state lives. Serialised into
/// the run directory by the daemon (same lifetime as the bpffs), so counters keep their rules over a restart.
class Interner {
 public:
  uint32_t rule(const std::string& name);            ///< 1-based; ENOSPC is impossible below GW_MAX_RULES names in one life
  uint32_t signature(const std::string& signature);  ///< 1-based
  [[nodiscard]] std::optional<std::string> rule_name(uint32_t id) const;
  [[nodiscard]] std::string serialise() const;
  static Result<Interner> parse(const std::string& text);

 private:
  std::map<std::string, uint32_t> rules_;
  std::map<std::string, uint32_t> signatures_;
};

/// Link ids by device name (config::Subnet::device()), 2-based and sorted; the VPN link is GW_LINK_ID_VPN.
std::map<std::string, uint32_t> link_ids(const config::Config& config);

/// A compiled policy. Cost of `class_of` does not depend on the number of rules' services or clients.
struct Compiled {
  bpf::PolicyImage image;
  /// Class of a host, or nullopt when no host of its kind was there at compile time: compile again.
  [[nodiscard]] std::optional<uint32_t> class_of(const HostFacts& host) const;

  struct Lookup;                         // selectors that rules mention, literals, known signatures
  std::shared_ptr<const Lookup> lookup;  // immutable
};

/// Rules -> tables. Pure. E2BIG when the tables would pass `budget_bytes`: the detail names the rules that cost most.
/// Cost grows with rules x distinct host signatures, not with hosts.
Result<Compiled> compile(const config::Config& config, std::span<const HostFacts> hosts, Interner& interner,
                         size_t budget_bytes = size_t{256} << 20U);

}  // namespace gw::policy
