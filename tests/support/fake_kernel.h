// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gatewayd/apply/kernel.h"

namespace gw::test {

/// A kernel in memory, for speed; tests/support/reconciler_contract.h holds it to the real one. It refuses what Linux
/// refuses (missing devices, duplicates, routes over a device that is down) and takes along what Linux takes along (the
/// objects of a deleted device, IPv4 secondaries of a deleted primary). Everything is public: tests set scenes in it.
class FakeKernel final : public apply::Kernel {
 public:
  plan::KernelState state;
  std::map<std::string, std::vector<IpAddress>> host = {{"eth0", {*IpAddress::parse("198.51.100.1")}}, {"eth1", {}}};
  std::map<std::string, uint32_t> mtu = {{"eth0", 1500}, {"eth1", 1500}};
  std::map<std::string, std::string> sysctls;  ///< of the whole host
  std::map<std::string, Error> refuse;         ///< by the first words of an operation's line
  std::vector<std::string> done;               ///< lines of what was executed
  size_t observations = 0;
  uint64_t word = 1;
  std::map<PublicKey, apply::PeerState> peer_states;
  std::map<uint32_t, apply::Counter> rule_counters, client_counters;
  gw_explanation explanation{};
  std::vector<apply::Flow> tracked;       ///< told in pages of two
  std::vector<uint64_t> untold = {0, 0};  ///< by enum gw_event_class
  std::vector<uint64_t> drops = std::vector<uint64_t>(GW_REASON_COUNT);

  Result<plan::Observed> observe(const plan::KernelState& desired) override {
    ++observations;
    plan::Observed observed = state;
    for (const auto& [name, value] : desired.sysctls) {
      if (const auto there = sysctls.find(name); there != sysctls.end()) observed.sysctls[name] = there->second;
    }
    for (auto& [key, peer] : observed.wireguard.peers) {
      const auto wanted = desired.wireguard.peers.find(key);
      if (wanted == desired.wireguard.peers.end() || !wanted->second.endpoint) peer.endpoint.reset();
    }
    return observed;
  }

  Result<void> execute(const plan::Operation& operation, const plan::Desired& desired, const SecretKey&) override {
    const std::string line = plan::describe(operation);
    for (const auto& [beginning, error] : refuse) {
      if (line.starts_with(beginning)) return std::unexpected(error);
    }
    const std::string device = plan::device_of(operation);
    const bool any_device = makes_link(operation) || std::holds_alternative<plan::EraseLinkEntry>(operation);
    if (!device.empty() && !any_device && !exists(device)) return failure(ENODEV, "use interface", device);
    auto result = std::visit([&](const auto& op) { return apply(op, desired); }, operation);
    if (result) done.push_back(line);
    return result;
  }

  Result<apply::Facts> facts() override {
    apply::Facts facts{.cards = {}, .addresses = {}, .mtu = mtu, .state = {}, .device_addresses = host};
    for (const auto& [device, addresses] : host) facts.state[device] = "up";
    for (const auto& [device, link] : state.vpns) facts.state[device] = link.up ? "up" : "down";
    for (const plan::Address& address : state.addresses)
      facts.device_addresses[address.device].push_back(address.address);
    for (const auto& [device, addresses] : facts.device_addresses) {
      facts.addresses.insert(facts.addresses.end(), addresses.begin(), addresses.end());
    }
    return facts;
  }
  Result<std::map<PublicKey, apply::PeerState>> peers(const std::string& device) override {
    if (!exists(device)) return failure(ENODEV, "read WireGuard device", device);
    std::map<PublicKey, apply::PeerState> result;
    for (const auto& [key, peer] : state.wireguard.peers) result[key] = peer_states[key];
    return result;
  }
  [[nodiscard]] std::string wireguard_implementation() const override { return "fake"; }
  Result<uint64_t> generation() override { return word; }
  int64_t clock_ahead = 0;
  Result<void> sync_clock(int64_t ahead) override {
    clock_ahead = ahead;
    return {};
  }
  Result<apply::Counter> rule_counter(uint32_t rule) override { return rule_counters[rule]; }
  Result<apply::Counter> client_counter(uint32_t client) override { return client_counters[client]; }
  Result<void> clear_client_counter(uint32_t client) override {
    client_counters.erase(client);
    return {};
  }
  Result<std::vector<uint64_t>> drop_counters() override { return drops; }
  Result<apply::FlowPage> flows(uint64_t from, uint32_t) override {
    apply::FlowPage page;
    for (size_t i = from; i < tracked.size() && page.flows.size() < 2; ++i) page.flows.push_back(tracked[i]);
    if (from + 2 < tracked.size()) page.next = from + 2;
    return page;
  }
  Result<uint64_t> count_flows() override { return tracked.size(); }
  Result<bool> erase_flow(const gw_flow_key& key) override {
    // An entry is emptied in place, so that the places of the others stay what they are, as in the kernel's buckets.
    for (apply::Flow& flow : tracked) {
      if (std::memcmp(&flow.key, &key, sizeof key) != 0 || flow.entry.orig.proto == 0) continue;
      flow = {};
      return true;
    }
    return false;
  }
  Result<std::vector<uint64_t>> untold_events() override { return untold; }
  Result<gw_explanation> explain(const gw_tuple&, const std::string&) override { return explanation; }

  [[nodiscard]] bool exists(const std::string& device) const {
    return host.contains(device) || state.vpns.contains(device) || state.vlans.contains(device);
  }

  /// As someone with `ip address del` does it.
  void delete_address(const plan::Address& address) {
    state.addresses.erase(address);
    if (address.address.family == Family::v6) return;
    const Prefix block = Prefix::of(address.address, address.length);
    std::erase_if(state.addresses, [&](const plan::Address& other) {
      return other.device == address.device && Prefix::of(other.address, other.length) == block;
    });
  }
  /// As `ip link set down` does it, and `wg-quick` with it.
  void set_down(const std::string& device) {
    state.vpns.at(device).up = false;
    std::erase_if(state.routes, [&](const plan::Route& route) { return route.device == device; });
  }
  /// As `ip link del` does it.
  void delete_link(const std::string& device) {
    state.vpns.erase(device);
    state.vlans.erase(device);
    std::erase_if(state.addresses, [&](const plan::Address& address) { return address.device == device; });
    std::erase_if(state.routes, [&](const plan::Route& route) { return route.device == device; });
    std::erase_if(state.attachments, [&](const plan::Attachment& attachment) { return attachment.device == device; });
    if (state.wireguard.device == device) state.wireguard = {};
    if (auto entry = state.policy.links.extract(device)) {
      entry.key() = "ifindex " + std::to_string(++gone_);
      state.policy.links.insert(std::move(entry));
    }
  }

 private:
  static bool makes_link(const plan::Operation& operation) {
    return std::holds_alternative<plan::CreateVpnLink>(operation) ||
           std::holds_alternative<plan::CreateVlanLink>(operation);
  }

  Result<void> apply(const plan::CreateVpnLink& op, const plan::Desired&) {
    if (exists(op.link.name)) return failure(EEXIST, "create WireGuard device", op.link.name);
    state.vpns[op.link.name] = {.name = op.link.name, .mtu = 1420, .up = false};
    state.wireguard = {.device = op.link.name};
    return {};
  }
  Result<void> apply(const plan::CreateVlanLink& op, const plan::Desired&) {
    if (!exists(op.link.parent)) return failure(ENODEV, "use interface", op.link.parent);
    state.vlans[op.link.name] = op.link;
    state.vlans[op.link.name].up = false;
    return {};
  }
  Result<void> apply(const plan::SetMtu& op, const plan::Desired&) {
    state.vpns.at(op.device).mtu = op.mtu;
    return {};
  }
  Result<void> apply(const plan::SetUp& op, const plan::Desired&) {
    if (auto vpn = state.vpns.find(op.device); vpn != state.vpns.end()) vpn->second.up = op.up;
    if (auto vlan = state.vlans.find(op.device); vlan != state.vlans.end()) vlan->second.up = op.up;
    return {};
  }
  Result<void> apply(const plan::DeleteLink& op, const plan::Desired&) {
    delete_link(op.device);
    return {};
  }
  Result<void> apply(const plan::AddAddress& op, const plan::Desired&) {
    if (!state.addresses.insert(op.address).second) return failure(EEXIST, "add address", op.address.address.str());
    return {};
  }
  Result<void> apply(const plan::DeleteAddress& op, const plan::Desired&) {
    delete_address(op.address);
    return {};
  }
  Result<void> apply(const plan::AddRoute& op, const plan::Desired&) {
    const auto vpn = state.vpns.find(op.route.device);
    if (vpn != state.vpns.end() && !vpn->second.up) return failure(ENETDOWN, "add route", op.route.dst.str());
    const bool taken =
        std::ranges::any_of(state.routes, [&](const plan::Route& other) { return other.dst == op.route.dst; });
    if (taken) return failure(EEXIST, "add route", op.route.dst.str());
    state.routes.insert(op.route);
    return {};
  }
  Result<void> apply(const plan::DeleteRoute& op, const plan::Desired&) {
    state.routes.erase(op.route);
    return {};
  }
  Result<void> apply(const plan::ChangeWireGuard& op, const plan::Desired& desired) {
    state.wireguard.device = op.device;
    if (op.set_key) state.wireguard.public_key = desired.wireguard.public_key;
    if (op.listen_port) state.wireguard.listen_port = *op.listen_port;
    for (const PublicKey& key : op.remove) state.wireguard.peers.erase(key);
    for (const auto& [key, peer] : op.change) state.wireguard.peers[key] = peer;
    for (const auto& [key, peer] : op.add) state.wireguard.peers[key] = peer;
    return {};
  }
  Result<void> apply(const plan::InstallPolicy&, const plan::Desired& desired) {
    state.policy.fingerprint = desired.policy.fingerprint;
    state.policy.hosts = desired.policy.hosts;
    ++word;
    return {};
  }
  Result<void> apply(const plan::PutHost& op, const plan::Desired&) {
    state.policy.hosts[op.address] = op.host;
    return {};
  }
  Result<void> apply(const plan::EraseHost& op, const plan::Desired&) {
    state.policy.hosts.erase(op.address);
    return {};
  }
  Result<void> apply(const plan::BumpGeneration&, const plan::Desired&) {
    ++word;
    return {};
  }
  Result<void> apply(const plan::PutLinkEntry& op, const plan::Desired&) {
    state.policy.links[op.device] = op.entry;
    return {};
  }
  Result<void> apply(const plan::EraseLinkEntry& op, const plan::Desired&) {
    state.policy.links.erase(op.device);
    return {};
  }
  Result<void> apply(const plan::PutGuard& op, const plan::Desired&) {
    state.guard.settings = op.settings;
    return {};
  }
  Result<void> apply(const plan::PutBlock& op, const plan::Desired&) {
    state.guard.blocks[op.prefix] = op.until_ns;
    return {};
  }
  Result<void> apply(const plan::EraseBlock& op, const plan::Desired&) {
    state.guard.blocks.erase(op.prefix);
    return {};
  }
  Result<void> apply(const plan::Attach& op, const plan::Desired&) {
    state.attachments.insert(op.attachment);
    return {};
  }
  Result<void> apply(const plan::Detach& op, const plan::Desired&) {
    state.attachments.erase(op.attachment);
    return {};
  }
  Result<void> apply(const plan::LoadFirewall&, const plan::Desired& desired) {
    state.firewall = desired.firewall;
    return {};
  }
  Result<void> apply(const plan::DeleteFirewall&, const plan::Desired&) {
    state.firewall = {};
    return {};
  }
  Result<void> apply(const plan::SetSysctl& op, const plan::Desired&) {
    sysctls[op.name] = op.value;
    return {};
  }

  int gone_ = 0;
};

}  // namespace gw::test
