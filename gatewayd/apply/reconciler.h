// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gatewayd/apply/kernel.h"
#include "gatewayd/plan/plan.h"
#include "gatewayd/policy/compile.h"

namespace gw::apply {

/// What a run did and what it left.
struct Report {
  std::vector<std::string> done;      ///< a line for each operation done, in order
  std::vector<std::string> repairs;   ///< those of `done` that mended what someone else had changed
  std::vector<Error> errors;          ///< what could not be done, or read
  std::vector<std::string> leftover;  ///< differences that are still there, a line each
  /// Why the gateway does not do its work, a line each: what could not be read, and those of `leftover` that are
  /// essential (plan::is_essential) on devices that are there. A subnet's card that was pulled out is not among them.
  std::vector<std::string> ill;
  /// The tables still hold a combination of groups that nobody has any more: harmless, and gone with the next
  /// converge().
  bool unsettled = false;

  [[nodiscard]] bool clean() const { return errors.empty() && leftover.empty(); }
};

/// Keeps the kernel equal to an intent (DESIGN §6). Holds the current intent and what was last wanted; does nothing by
/// itself: the daemon calls it. One thread. `kernel` has to outlive it.
class Reconciler {
 public:
  /// Reads the ids of rules and classes back from RUN/policy-ids.json; a damaged file is an error (EUCLEAN) only when
  /// it cannot be read: ids that do not parse are begun anew, which costs counters and no more.
  static Result<Reconciler> open(Kernel& kernel, const SecretKey& private_key, const std::string& run_directory);

  /// Replaces the intent. Takes effect with the next converge().
  void set_intent(plan::Intent intent);
  /// nullptr before the first set_intent().
  [[nodiscard]] const plan::Intent* intent() const { return intent_ ? &*intent_ : nullptr; }

  /// facts -> compile -> observe -> diff -> execute -> observe again. Costs with the number of clients. Without an
  /// intent: nothing.
  Report converge();

  /// What converge() would do with `intent`, a line each. Changes nothing.
  Result<std::vector<std::string>> preview(const plan::Intent& intent);

  /// Adds a client or changes one of the same number, in the kernel and in the intent; a cost that does not depend on
  /// how many there are, except when its groups are a combination that the tables do not hold: then converge() runs. A
  /// host entry comes before its peer; what is no longer valid goes first.
  Report put_client(const plan::Client& client);
  /// DATAPLANE "Order of a revocation": host entries, generation, peer. When it returns without errors no packet of the
  /// client passes. Unknown numbers are a clean report.
  Report remove_client(uint32_t number);

  /// Loads the frame that is wanted, at once and without looking at anything else: somebody has flushed it.
  Report restore_frame();

  /// The name of a rule by the id that events, counters and explanations carry; nullopt for 0, the default.
  [[nodiscard]] std::optional<std::string> rule_name(uint32_t id) const { return interner_.rule_name(id); }
  /// The other way; gives the id that the next converge() would.
  [[nodiscard]] uint32_t rule_id(const std::string& name) { return interner_.rule(name); }

  /// As of the last converge.
  [[nodiscard]] const Report& last() const { return last_; }
  [[nodiscard]] const Facts& facts() const { return facts_; }
  [[nodiscard]] uint64_t repairs() const { return repairs_; }  ///< since open()

 private:
  Reconciler(Kernel& kernel, const SecretKey& private_key, std::string run_directory, policy::Interner interner);

  using Lines = std::set<std::string>;
  using Hosts = std::map<IpAddress, plan::Host>;

  Result<void> want(std::optional<plan::Desired>& desired);
  Result<void> converge(std::optional<plan::Desired>& desired, Report& report);
  [[nodiscard]] Lines drift_in(const plan::Observed& observed) const;
  [[nodiscard]] std::vector<std::string> ill(const plan::Plan& leftover) const;
  Result<void> store_ids();

  std::optional<Hosts> hosts_of(const plan::Client& client) const;
  [[nodiscard]] bool has_kind_of(const plan::Client& client) const;
  void replace_hosts(Report& report, const std::vector<IpAddress>& before, const Hosts& after);
  void put_peer(Report& report, const PublicKey& key, const plan::Peer& peer);
  void remove_peer(Report& report, const PublicKey& key);
  void run(Report& report, const plan::Operation& operation);

  Kernel* kernel_;
  SecretKey key_;
  std::string run_directory_;
  policy::Interner interner_;
  std::string stored_ids_;
  std::optional<plan::Intent> intent_;
  std::optional<plan::Desired> desired_;  // of the last converge, with clients put and removed since
  Facts facts_;
  Report last_;
  uint64_t repairs_ = 0;
};

}  // namespace gw::apply
