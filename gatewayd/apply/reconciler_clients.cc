// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/apply/reconciler.h"

/// One client at a time, beside the whole: the same operations as a plan would have, without reading or comparing all.
namespace gw::apply {
std::optional<Reconciler::Hosts> Reconciler::hosts_of(const plan::Client& client) const {
  Hosts hosts;
  for (const IpAddress& address : client.addresses) {
    const auto id = desired_->compiled.class_of(plan::client_facts(client, address, intent_->config));
    if (!id) return std::nullopt;
    hosts[address] = plan::client_host(client, *id);
  }
  return hosts;
}

Report Reconciler::restore_frame() {
  Report report;
  if (!desired_ || desired_->firewall.fingerprint.empty()) return report;
  run(report, plan::LoadFirewall{});
  report.repairs = report.done;
  repairs_ += report.repairs.size();
  return report;
}

void Reconciler::run(Report& report, const plan::Operation& operation) {
  if (auto done = kernel_->execute(operation, *desired_, key_); !done) {
    report.errors.push_back(done.error());
    report.leftover.push_back(plan::describe(operation));
  } else {
    report.done.push_back(plan::describe(operation));
  }
}

void Reconciler::replace_hosts(Report& report, const std::vector<IpAddress>& before, const Hosts& after) {
  auto& known = desired_->policy.hosts;
  bool judge_again = false;
  for (const IpAddress& address : before) {
    if (after.contains(address)) continue;
    known.erase(address);
    run(report, plan::EraseHost{address});
    judge_again = true;
  }
  for (const auto& [address, host] : after) {
    const auto there = known.find(address);
    if (there != known.end() && there->second == host) continue;
    judge_again = judge_again || there != known.end();
    known[address] = host;
    run(report, plan::PutHost{address, host});
  }
  if (judge_again) run(report, plan::BumpGeneration{});
}

void Reconciler::remove_peer(Report& report, const PublicKey& key) {
  desired_->wireguard.peers.erase(key);
  plan::ChangeWireGuard change{.device = desired_->wireguard.device};
  change.remove.insert(key);
  run(report, change);
}

void Reconciler::put_peer(Report& report, const PublicKey& key, const plan::Peer& peer) {
  auto& known = desired_->wireguard.peers;
  const auto there = known.find(key);
  if (there != known.end() && there->second == peer) return;
  plan::ChangeWireGuard change{.device = desired_->wireguard.device};
  (there == known.end() ? change.add : change.change)[key] = peer;
  known[key] = peer;
  run(report, change);
}

Report Reconciler::put_client(const plan::Client& client) {
  Report report;
  if (!intent_) return report;
  plan::Client& current = intent_->clients[client.number];
  const plan::Client former = std::exchange(current, client);
  const std::optional<Hosts> hosts = desired_ ? hosts_of(client) : std::nullopt;
  if (!hosts) return converge();
  replace_hosts(report, former.addresses, *hosts);
  if (former.number != 0 && former.wireguard != client.wireguard) remove_peer(report, former.wireguard);
  put_peer(report, client.wireguard, plan::client_peer(client));
  report.unsettled = former.number != 0 && !has_kind_of(former);
  return report;
}

bool Reconciler::has_kind_of(const plan::Client& client) const {
  return std::ranges::any_of(intent_->clients, [&](const auto& entry) { return entry.second.groups == client.groups; });
}

Report Reconciler::remove_client(uint32_t number) {
  Report report;
  if (!intent_) return report;
  const auto removed = intent_->clients.extract(number);
  if (removed.empty() || !desired_) return report;
  replace_hosts(report, removed.mapped().addresses, {});
  remove_peer(report, removed.mapped().wireguard);
  report.unsettled = !has_kind_of(removed.mapped());
  return report;
}

}  // namespace gw::apply
