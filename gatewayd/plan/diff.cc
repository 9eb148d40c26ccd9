// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/plan/plan.h"

namespace gw::plan {
namespace {

/// Both sides and the plan that grows. The order of the calls in diff() below is the order of the operations.
class Difference {
 public:
  Difference(const KernelState& desired, const KernelState& observed) : want_(desired), have_(observed) {}

  void make_links();
  void firewall();
  void policy();
  void link_entries();
  void guard();
  void erase_blocks();
  void attach();
  void device_sysctls() { sysctls(false); }
  void delete_stale_vpns();
  void add_addresses();
  void wireguard();
  void bring_up();
  void add_routes();
  void delete_routes();
  void delete_addresses();
  void detach();
  void erase_link_entries();
  void delete_vlans();
  void delete_firewall();
  void forwarding() { sysctls(true); }

  Plan take() { return std::move(plan_); }

 private:
  void add(Operation operation) { plan_.push_back(std::move(operation)); }
  void hosts();
  void make_vlan(const VlanLink& link);
  void sysctls(bool forwarding);
  void delete_route(const Route& route);
  void delete_address(const Address& address);

  const KernelState& want_;
  const KernelState& have_;
  Plan plan_;
  std::set<Route> deleted_routes_;
  std::set<Address> deleted_addresses_;
};

template <class Map>
const typename Map::mapped_type* find(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

void Difference::make_vlan(const VlanLink& link) {
  const VlanLink* there = find(have_.vlans, link.name);
  if (there != nullptr && there->parent == link.parent && there->vlan == link.vlan) return;
  if (there != nullptr) add(DeleteLink{.device = link.name, .wireguard = false});
  add(CreateVlanLink{link});
}

void Difference::make_links() {
  for (const auto& [name, link] : want_.vpns) {
    const WireGuardLink* there = find(have_.vpns, name);
    if (there == nullptr) add(CreateVpnLink{link});
    if (there == nullptr || there->mtu != link.mtu) add(SetMtu{.device = name, .mtu = link.mtu});
  }
  for (const auto& [name, link] : want_.vlans) make_vlan(link);
}

void Difference::firewall() {
  if (!want_.firewall.fingerprint.empty() && want_.firewall != have_.firewall) add(LoadFirewall{});
}

void Difference::policy() {
  // An image comes with all hosts.
  if (!want_.policy.fingerprint.empty() && want_.policy.fingerprint != have_.policy.fingerprint) {
    add(InstallPolicy{});
  } else {
    hosts();
  }
}

void Difference::hosts() {
  bool judge_again = false;
  for (const auto& [address, host] : have_.policy.hosts) {
    if (want_.policy.hosts.contains(address)) continue;
    add(EraseHost{address});
    judge_again = true;
  }
  for (const auto& [address, host] : want_.policy.hosts) {
    const Host* there = find(have_.policy.hosts, address);
    if (there != nullptr && *there == host) continue;
    add(PutHost{address, host});
    judge_again = judge_again || there != nullptr;
  }
  if (judge_again) add(BumpGeneration{});
}

void Difference::link_entries() {
  for (const auto& [device, entry] : want_.policy.links) {
    const LinkEntry* there = find(have_.policy.links, device);
    if (there == nullptr || *there != entry) add(PutLinkEntry{device, entry});
  }
}

void Difference::guard() {
  if (want_.guard.settings != have_.guard.settings) add(PutGuard{want_.guard.settings});
  for (const auto& [prefix, until] : want_.guard.blocks) {
    const uint64_t* there = find(have_.guard.blocks, prefix);
    if (there == nullptr || *there != until) add(PutBlock{prefix, until});
  }
}

void Difference::erase_blocks() {
  for (const auto& [prefix, until] : have_.guard.blocks) {
    if (!want_.guard.blocks.contains(prefix)) add(EraseBlock{prefix});
  }
}

void Difference::attach() {
  for (const Attachment& attachment : want_.attachments) {
    if (!have_.attachments.contains(attachment)) add(Attach{attachment});
  }
}

void Difference::delete_stale_vpns() {
  for (const auto& [name, link] : have_.vpns) {
    if (!want_.vpns.contains(name)) add(DeleteLink{.device = name, .wireguard = true});
  }
}

void Difference::delete_address(const Address& address) {
  if (deleted_addresses_.insert(address).second) add(DeleteAddress{address});
}

void Difference::add_addresses() {
  for (const Address& address : want_.addresses) {
    if (have_.addresses.contains(address)) continue;
    const Prefix block = Prefix::of(address.address, address.length);
    for (const Address& old : have_.addresses) {
      // The exception to 'add before remove': beside an old address of the same block IPv4 would make the new one a
      // secondary, which goes with its primary, and IPv6 refuses the same address with another length.
      const bool collides = old.device == address.device &&
                            (Prefix::of(old.address, old.length) == block || old.address == address.address);
      if (collides && !want_.addresses.contains(old)) delete_address(old);
    }
    add(AddAddress{address});
  }
}

void Difference::wireguard() {
  const WireGuardState& want = want_.wireguard;
  if (want.device.empty()) return;
  static const WireGuardState kFresh;
  const WireGuardState& have = have_.wireguard.device == want.device ? have_.wireguard : kFresh;
  ChangeWireGuard settings{.device = want.device, .set_key = want.public_key != have.public_key};
  if (want.listen_port != have.listen_port) settings.listen_port = want.listen_port;
  ChangeWireGuard leave{.device = want.device};
  ChangeWireGuard change{.device = want.device};
  ChangeWireGuard join{.device = want.device};
  for (const auto& [key, peer] : have.peers) {
    if (!want.peers.contains(key)) leave.remove.insert(key);
  }
  for (const auto& [key, peer] : want.peers) {
    const Peer* there = find(have.peers, key);
    if (there == nullptr) join.add[key] = peer;
    if (there != nullptr && *there != peer) change.change[key] = peer;
  }
  if (settings.set_key || settings.listen_port) add(std::move(settings));
  if (!leave.remove.empty()) add(std::move(leave));
  if (!change.change.empty()) add(std::move(change));
  if (!join.add.empty()) add(std::move(join));
}

void Difference::bring_up() {
  const auto set_up = [&](const auto& wanted, const auto& there) {
    for (const auto& [name, link] : wanted) {
      const auto* old = find(there, name);
      if (link.up != (old != nullptr && old->up)) add(SetUp{.device = name, .up = link.up});
    }
  };
  set_up(want_.vpns, have_.vpns);
  set_up(want_.vlans, have_.vlans);
}

void Difference::delete_route(const Route& route) {
  if (deleted_routes_.insert(route).second) add(DeleteRoute{route});
}

void Difference::add_routes() {
  for (const Route& route : want_.routes) {
    if (have_.routes.contains(route)) continue;
    for (const Route& old : have_.routes) {
      // A table holds one route of a destination and metric: the old one makes room.
      if (old.dst == route.dst && !want_.routes.contains(old)) delete_route(old);
    }
    add(AddRoute{route});
  }
}

void Difference::delete_routes() {
  for (const Route& route : have_.routes) {
    if (!want_.routes.contains(route)) delete_route(route);
  }
}

void Difference::delete_addresses() {
  for (const Address& address : have_.addresses) {
    if (!want_.addresses.contains(address)) delete_address(address);
  }
}

void Difference::detach() {
  for (const Attachment& attachment : have_.attachments) {
    if (!want_.attachments.contains(attachment)) add(Detach{attachment});
  }
}

void Difference::erase_link_entries() {
  for (const auto& [device, entry] : have_.policy.links) {
    if (!want_.policy.links.contains(device)) add(EraseLinkEntry{device});
  }
}

void Difference::delete_vlans() {
  for (const auto& [name, link] : have_.vlans) {
    if (!want_.vlans.contains(name)) add(DeleteLink{.device = name, .wireguard = false});
  }
}

void Difference::delete_firewall() {
  if (want_.firewall.fingerprint.empty() && !have_.firewall.fingerprint.empty()) add(DeleteFirewall{});
}

void Difference::sysctls(bool forwarding) {
  for (const auto& [name, value] : want_.sysctls) {
    const std::string* there = find(have_.sysctls, name);
    if (is_forwarding(name) == forwarding && (there == nullptr || *there != value)) add(SetSysctl{name, value});
  }
}

}  // namespace

bool is_forwarding(const std::string& sysctl) {
  return sysctl == "net.ipv4.ip_forward" || sysctl == "net.ipv6.conf.all.forwarding";
}

Plan diff(const KernelState& desired, const Observed& observed) {
  Difference difference(desired, observed);
  difference.make_links();
  // Closed before anything opens: the frame drops what no program has marked.
  difference.firewall();
  difference.policy();
  difference.link_entries();
  // A list that is full has room only after what has ended has gone; nobody on it passes meanwhile who is to stay on
  // it.
  difference.erase_blocks();
  difference.guard();
  difference.attach();
  difference.device_sysctls();
  // A VPN device under a former name holds the port and the addresses of the new one.
  difference.delete_stale_vpns();
  difference.add_addresses();
  difference.wireguard();
  difference.bring_up();
  // The kernel refuses routes over a device that is down.
  difference.add_routes();

  difference.delete_routes();
  difference.delete_addresses();
  difference.detach();
  difference.erase_link_entries();
  difference.delete_vlans();
  difference.delete_firewall();

  difference.forwarding();
  return difference.take();
}

}  // namespace gw::plan
