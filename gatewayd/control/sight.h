// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/apply/kernel.h"
#include "gatewayd/base/clock.h"
#include "gatewayd/config/config.h"
#include "gatewayd/plan/plan.h"

/// What passes through the gateway, in the operator's words: tracked flows and verdicts. Pure.
namespace gw::control {

/// One tracked flow, as its first packet went.
struct FlowStatus {
  std::string protocol;             ///< "tcp", "udp", "icmp", "proto/47"
  std::string source, destination;  ///< addresses
  uint16_t source_port = 0;         ///< TCP and UDP
  uint16_t destination_port = 0;    ///< TCP and UDP
  std::string icmp;                 ///< "8/0": type and code
  std::string client, to_client;    ///< the source's, the destination's; empty: none
  std::string rule;
  std::string state;  ///< "opening" (one way so far), "established", "closing"
  uint64_t idle_seconds = 0;
  UnixSeconds access_ends = 0;  ///< the earlier end of its clients' certificates; 0: none
  bool nat = false;
  bool current = true;  ///< false: made under an older policy, its next packet is judged again
  bool operator==(const FlowStatus&) const = default;
};

struct FlowList {
  std::vector<FlowStatus> flows;
  uint64_t next = 0;  ///< where to go on; 0: that was all
};

/// What a packet met, as the programs told it.
struct Sighting {
  int64_t time_ms = 0;  ///< Unix milliseconds
  std::string action;   ///< "allow", "deny", "reject"
  std::string reason;   ///< a word, as metrics have it: "rule", "default", "source", …; "none" when allowed
  std::string because;  ///< the same for people
  std::string rule;     ///< empty: none decided
  bool logged = false;  ///< the rule says `log: true`
  std::string client, to_client;
  std::string protocol, source, destination;
  uint16_t source_port = 0, destination_port = 0;
  std::string icmp;
  std::string interface;
  std::string from_zone, to_zone;  ///< "vpn", "subnet:web", "site:x", "gateway"; empty: none that is configured
  uint32_t length = 0;             ///< bytes
  bool operator==(const Sighting&) const = default;
};

/// Which flows are meant. Empty members mean all.
struct FlowFilter {
  std::string client = {};  ///< on either side
  /// An address, a prefix, a client, or a zone that stands for addresses (subnet:, site:, group:).
  std::string from = {}, to = {};
  std::string service = {};  ///< "tcp", "tcp/22", a name
  std::string rule = {};
  bool operator==(const FlowFilter&) const = default;
  [[nodiscard]] bool empty() const { return *this == FlowFilter{}; }
};

/// Which verdicts are meant. Empty members mean all.
struct WatchFilter {
  bool denied = false;  ///< denied and rejected ones only
  std::string client = {}, subnet = {}, rule = {};
  [[nodiscard]] bool admits(const Sighting& sighting) const;
};

IpAddress address_of(const gw_addr& address);

/// A word for enum gw_reason, as labels and fields have it: "default", "never_forwarded".
std::string reason_word(uint8_t reason);

/// The words of one moment: what numbers and addresses are called. Borrows the intent.
class Words {
 public:
  /// `rule_name` as Reconciler::rule_name.
  using RuleName = std::function<std::optional<std::string>(uint32_t)>;
  Words(const plan::Intent& intent, RuleName rule_name) : intent_(intent), rule_name_(std::move(rule_name)) {}

  [[nodiscard]] FlowStatus flow(const apply::Flow& flow, uint64_t generation) const;
  /// `wall_offset_ns`: wall clock minus monotonic.
  [[nodiscard]] Sighting sighting(const gw_event& event, int64_t wall_offset_ns) const;

 private:
  [[nodiscard]] std::string client_name(uint32_t number) const;
  [[nodiscard]] std::string client_at(const IpAddress& address) const;
  [[nodiscard]] std::string zone_of(const IpAddress& address) const;

  const plan::Intent& intent_;
  RuleName rule_name_;
};

/// The flow is one that can still let a packet pass.
bool is_live(const apply::Flow& flow, uint64_t wall_ns);

/// A FlowFilter with its names looked up.
class FlowMatch {
 public:
  /// ENOENT: nothing has this name; EINVAL: `from`, `to` or `service` cannot be read.
  static Result<FlowMatch> of(const FlowFilter& filter, const plan::Intent& intent);
  [[nodiscard]] bool matches(const apply::Flow& flow, const FlowStatus& words) const;

 private:
  std::string client_, rule_;
  std::optional<std::vector<Prefix>> from_, to_;
  std::vector<config::Service> services_;  ///< empty: all
};

/// "rejected by rule no-web: tcp 172.16.201.3:40000 -> 10.1.1.7:22 on wg0, 60 bytes, client alice".
std::string line_of(const Sighting& sighting);

/// One line of JSON with the members above, those without a value left out.
std::string json_of(const Sighting& sighting);

/// "KEY=value" for the journal (docs/gwctl.md); `suppressed` packets were not told before it.
std::vector<std::string> journal_fields(const Sighting& sighting, uint64_t suppressed);
/// The same for packets that were denied and not told one by one.
std::vector<std::string> journal_summary(uint64_t suppressed);

}  // namespace gw::control
