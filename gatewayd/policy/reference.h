// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/compile.h"

/// The naive evaluator: walks the rules as they are written, shares no code with the compiler. Tests hold the compiler
/// and the loaded program to it; `gwctl explain` uses it to name the rule.
namespace gw::policy {

/// The first packet of a flow.
struct Packet {
  IpAddress source;
  IpAddress destination;
  config::Service::Kind kind = config::Service::Kind::tcp;  ///< never `any`
  uint16_t key = 0;  ///< destination port, ICMP type << 8 | code, or protocol number (never that of TCP, UDP or ICMP)
};

struct Verdict {
  config::Action action = config::Action::deny;
  std::string rule;  ///< empty: no rule matched (default deny) or never forwarded
  bool nat = false;  ///< only of what is allowed
  bool log = false;
  bool operator==(const Verdict&) const = default;
};

/// The verdict of the rules alone: whether the source belongs on its interface, and whether a client's access has
/// ended, is judged elsewhere. A source that is the gateway itself is never judged: default deny.
Verdict evaluate(const config::Config& config, std::span<const HostFacts> hosts, const Packet& packet);

}  // namespace gw::policy
