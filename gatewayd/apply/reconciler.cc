// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/reconciler.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "gatewayd/apply/executor.h"
#include "gatewayd/base/file.h"

namespace gw::apply {
namespace {

/// One is enough unless the kernel took something along (an IPv4 secondary with its primary, routes with their device).
constexpr int kRounds = 3;

constexpr char kIdsFile[] = "/policy-ids.json";

std::vector<std::string> lines(const plan::Plan& plan) {
  std::vector<std::string> result;
  result.reserve(plan.size());
  for (const plan::Operation& operation : plan) result.push_back(plan::describe(operation));
  return result;
}

/// Addresses that the host has without us; ours are in the intent, and those of a former intent are about to go.
std::vector<IpAddress> foreign_addresses(const Facts& facts, const config::Config& config) {
  std::set<std::string> own = {config.vpn.interface};
  for (const auto& [name, subnet] : config.subnets) {
    if (subnet.vlan) own.insert(subnet.device());
  }
  std::vector<IpAddress> addresses;
  for (const auto& [device, list] : facts.device_addresses) {
    if (!own.contains(device)) addresses.insert(addresses.end(), list.begin(), list.end());
  }
  std::ranges::sort(addresses);
  return addresses;
}

void take_facts(const Facts& facts, plan::Intent& intent) {
  intent.gateway_addresses = foreign_addresses(facts, intent.config);
  const auto mtu = facts.mtu.find(intent.config.public_side.interface);
  intent.cards = facts.cards;
  intent.uplink_mtu = mtu == facts.mtu.end() ? std::nullopt : std::optional(mtu->second);
}

}  // namespace

Result<Reconciler> Reconciler::open(Kernel& kernel, const SecretKey& private_key, const std::string& run_directory) {
  policy::Interner interner;
  auto stored = read_file(run_directory + kIdsFile);
  if (!stored && stored.error().code != ENOENT) return std::unexpected(stored.error());
  if (stored) {
    if (auto parsed = policy::Interner::parse(*stored)) interner = std::move(*parsed);
  }
  Reconciler reconciler(kernel, private_key, run_directory, std::move(interner));
  reconciler.stored_ids_ = stored.value_or("");
  return reconciler;
}

Reconciler::Reconciler(Kernel& kernel, const SecretKey& private_key, std::string run_directory,
                       policy::Interner interner)
    : kernel_(&kernel), key_(private_key), run_directory_(std::move(run_directory)), interner_(std::move(interner)) {}

void Reconciler::set_intent(plan::Intent intent) { intent_ = std::move(intent); }

Result<void> Reconciler::store_ids() {
  std::string ids = interner_.serialise();
  if (ids == stored_ids_) return {};
  if (auto written = write_file_atomically(run_directory_ + kIdsFile, ids, 0600); !written) return written;
  stored_ids_ = std::move(ids);
  return {};
}

Result<void> Reconciler::want(std::optional<plan::Desired>& desired) {
  auto facts = kernel_->facts();
  if (!facts) return std::unexpected(facts.error());
  if (desired && *facts == facts_) return {};
  facts_ = std::move(*facts);
  take_facts(facts_, *intent_);
  auto compiled = plan::compile(*intent_, interner_);
  if (!compiled) return std::unexpected(compiled.error());
  desired = std::move(*compiled);
  return {};
}

Result<void> Reconciler::converge(std::optional<plan::Desired>& desired, Report& report) {
  Lines not_done;
  Lines drift;
  for (int round = 0;; ++round) {
    if (auto wanted = want(desired); !wanted) return wanted;
    auto observed = kernel_->observe(*desired);
    if (!observed) return std::unexpected(observed.error());
    const plan::Plan plan = plan::diff(*desired, *observed);
    report.leftover = lines(plan);
    report.ill = ill(plan);
    if (round == 0) drift = drift_in(*observed);
    const bool stuck =
        std::ranges::all_of(report.leftover, [&](const std::string& line) { return not_done.contains(line); });
    if (stuck || round == kRounds) return {};

    Execution execution = execute(*kernel_, plan, *desired, key_);
    for (std::string& line : execution.done) {
      if (round == 0 && drift.contains(line)) report.repairs.push_back(line);
      report.done.push_back(std::move(line));
    }
    report.errors = std::move(execution.errors);
    not_done = {execution.not_done.begin(), execution.not_done.end()};
  }
}

std::vector<std::string> Reconciler::ill(const plan::Plan& leftover) const {
  std::vector<std::string> result;
  const std::string& uplink = intent_->config.public_side.interface;
  if (!facts_.state.contains(uplink)) result.push_back("the public interface " + uplink + " is missing");
  for (const plan::Operation& operation : leftover) {
    const std::string device = plan::device_of(operation);
    const bool missing = !device.empty() && !facts_.state.contains(device);
    const bool made_by_us = std::holds_alternative<plan::CreateVpnLink>(operation);
    // Kernel WireGuard opens its sockets when it comes up: that is where a port that is taken shows.
    const auto* up = std::get_if<plan::SetUp>(&operation);
    const bool tunnel_down = up != nullptr && up->device == intent_->config.vpn.interface;
    if (tunnel_down || (plan::is_essential(operation) && (!missing || made_by_us))) {
      result.push_back("not done: " + plan::describe(operation));
    }
  }
  return result;
}

Reconciler::Lines Reconciler::drift_in(const plan::Observed& observed) const {
  if (!desired_) return {};
  const std::vector<std::string> all = lines(plan::diff(*desired_, observed));
  Lines drift(all.begin(), all.end());
  // What we never managed to do is no one's edit.
  for (const std::string& line : last_.leftover) drift.erase(line);
  return drift;
}

Report Reconciler::converge() {
  Report report;
  if (!intent_) return report;
  std::optional<plan::Desired> desired;
  const auto converged = converge(desired, report);
  // What failed first and was mended by a further round is no error.
  if (report.leftover.empty()) report.errors.clear();
  if (!converged) {
    report.errors.push_back(converged.error());
    report.ill.push_back(converged.error().message());
  }
  if (auto stored = store_ids(); !stored) report.errors.push_back(stored.error());
  if (desired) desired_ = std::move(desired);
  repairs_ += report.repairs.size();
  last_ = report;
  return report;
}

Result<std::vector<std::string>> Reconciler::preview(const plan::Intent& intent) {
  auto facts = kernel_->facts();
  if (!facts) return std::unexpected(facts.error());
  plan::Intent informed = intent;
  take_facts(*facts, informed);
  policy::Interner scratch = interner_;
  auto desired = plan::compile(informed, scratch);
  if (!desired) return std::unexpected(desired.error());
  auto observed = kernel_->observe(*desired);
  if (!observed) return std::unexpected(observed.error());
  return lines(plan::diff(*desired, *observed));
}

}  // namespace gw::apply
