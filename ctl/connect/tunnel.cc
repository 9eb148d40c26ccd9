// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/tunnel.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "gatewayd/pki/pki.h"
#include "netlink/address.h"
#include "netlink/link.h"

namespace gw::connect {
namespace {

constexpr std::string_view kAlias = "gwconnect ";

std::string alias_of(const std::string& id) { return std::string(kAlias) + id; }

bool is_ours(const nl::Link& link) { return link.alias.starts_with(kAlias); }

// fe80::/10 (RFC 4291 §2.4) is on every device and collides with nothing.
bool is_link_local(const IpAddress& address) {
  return address.family == Family::v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

std::set<Prefix> as_set(const std::vector<Prefix>& prefixes) { return {prefixes.begin(), prefixes.end()}; }

template <class T>
bool holds(const std::vector<T>& list, const T& value) {
  return std::ranges::find(list, value) != list.end();
}

/// The route as it is when its device has this index.
nl::Route on_device(nl::Route route, uint32_t ifindex) {
  if (!route.unreachable) route.oif = ifindex;
  return route;
}

}  // namespace

Result<Tunnels> Tunnels::open() {
  auto socket = nl::Socket::open(NETLINK_ROUTE);
  if (!socket) return std::unexpected(socket.error());
  auto wireguard = nl::open_wireguard();
  if (!wireguard) return std::unexpected(wireguard.error());
  return Tunnels(std::move(*socket), std::move(*wireguard));
}

Result<std::vector<LocalBlock>> Tunnels::local_blocks() {
  const auto links = nl::list_links(socket_);
  if (!links) return std::unexpected(links.error());
  const auto addresses = nl::list_addresses(socket_);
  if (!addresses) return std::unexpected(addresses.error());
  std::map<uint32_t, std::string> foreign;
  for (const nl::Link& link : *links) {
    if (!is_ours(link) && link.name != "lo") foreign[link.index] = link.name;
  }
  std::vector<LocalBlock> out;
  for (const nl::Address& address : *addresses) {
    const auto device = foreign.find(address.ifindex);
    if (device == foreign.end() || is_link_local(address.address)) continue;
    out.push_back({Prefix::of(address.address, address.length), device->second});
  }
  return out;
}

Result<nl::Link> Tunnels::keep_link(const Wanted& wanted) {
  auto link = nl::find_link(socket_, wanted.interface);
  if (!link && link.error().code != ENODEV) return link;
  if (link && link->alias == alias_of(wanted.id)) return link;
  if (link)
    return failure(EEXIST, "create WireGuard device", wanted.interface,
                   "there is such a device, which is not of network " + wanted.id);
  if (auto made = wireguard_->create(wanted.interface); !made) return std::unexpected(made.error());
  link = nl::find_link(socket_, wanted.interface);
  if (!link) return link;
  if (auto done = nl::set_link_alias(socket_, link->index, alias_of(wanted.id)); !done)
    return std::unexpected(done.error());
  return link;
}

Result<void> Tunnels::keep_wireguard(const Wanted& wanted, const SecretKey& secret, const Gateway& gateway) {
  const auto device = wireguard_->read(wanted.interface);
  if (!device) return std::unexpected(device.error());
  nl::WgChange change;
  const bool new_key = device->public_key != pki::public_of(secret);
  if (new_key) change.private_key = secret;
  if (device->fwmark != wanted.mark) change.fwmark = wanted.mark;
  for (const auto& [key, peer] : device->peers) {
    if (key != gateway.key) change.remove.insert(key);
  }
  const nl::WgPeer peer{
      .endpoint = gateway.endpoint, .keepalive = kKeepalive, .allowed_ips = as_set(wanted.allowed_ips)};
  const auto present = device->peers.find(gateway.key);
  const bool known = present != device->peers.end();
  const bool same = known && present->second.allowed_ips == peer.allowed_ips &&
                    present->second.keepalive == peer.keepalive &&
                    (!peer.endpoint || present->second.endpoint == peer.endpoint);
  const bool moves = known && peer.endpoint && device->states.contains(gateway.key) &&
                     device->states.at(gateway.key).endpoint != peer.endpoint;
  if (known && (new_key || moves)) {
    // Keepalive that goes from none to some sends a packet at once, and with it the handshake that a new key needs, or
    // the news of the other way.
    change.set[gateway.key] = peer;
    change.set[gateway.key].keepalive = 0;
    if (auto done = wireguard_->change(wanted.interface, change); !done) return done;
    change = {};
  }
  if (!same || new_key || moves) change.set[gateway.key] = peer;
  if (!change.private_key && !change.fwmark && change.set.empty() && change.remove.empty()) return {};
  return wireguard_->change(wanted.interface, change);
}

Result<void> Tunnels::keep_addresses(const Wanted& wanted, uint32_t ifindex) {
  const auto all = nl::list_addresses(socket_);
  if (!all) return std::unexpected(all.error());
  std::vector<InterfaceAddress> present;
  for (const nl::Address& address : *all) {
    if (address.ifindex == ifindex && !is_link_local(address.address))
      present.push_back({address.address, address.length});
  }
  for (const InterfaceAddress& address : wanted.addresses) {
    if (holds(present, address)) continue;
    auto done = nl::add_address(socket_, {ifindex, address.address, address.length, kProtocol});
    if (!done && done.error().code != EEXIST) return done;
  }
  for (const InterfaceAddress& address : present) {
    if (holds(wanted.addresses, address)) continue;
    auto done = nl::delete_address(socket_, {ifindex, address.address, address.length, 0});
    if (!done && done.error().code != EADDRNOTAVAIL) return done;
  }
  return {};
}

Result<void> Tunnels::keep_routes(const Wanted& wanted, bool refusing, uint32_t ifindex) {
  const auto present = nl::list_routes(socket_, kProtocol);
  if (!present) return std::unexpected(present.error());
  for (const nl::Route& route : wanted.routes) {
    const nl::Route complete = on_device(route, ifindex);
    if (route.unreachable != refusing || holds(*present, complete)) continue;
    auto done = nl::add_route(socket_, complete);
    if (done) continue;
    if (done.error().code == EEXIST) done.error().detail = "another route to the same place is in the way";
    return done;
  }
  return {};
}

Result<void> Tunnels::keep_rules(const Wanted& wanted) {
  const auto present = nl::list_rules(socket_, kProtocol);
  if (!present) return std::unexpected(present.error());
  for (const nl::Rule& rule : wanted.rules) {
    if (holds(*present, rule)) continue;
    if (auto done = nl::add_rule(socket_, rule); !done) return done;
  }
  return {};
}

Result<void> Tunnels::keep(const Wanted& wanted, const SecretKey& secret, const Gateway& gateway) {
  if (auto done = keep_routes(wanted, true, 0); !done) return done;
  if (auto done = keep_rules(wanted); !done) return done;
  const auto link = keep_link(wanted);
  if (!link) return std::unexpected(link.error());
  if (auto done = keep_wireguard(wanted, secret, gateway); !done) return done;
  if (auto done = keep_addresses(wanted, link->index); !done) return done;
  if (link->mtu != wanted.mtu) {
    if (auto done = nl::set_link_mtu(socket_, link->index, wanted.mtu); !done) return done;
  }
  if (!link->up) {
    if (auto done = nl::set_link_up(socket_, link->index, true); !done) return done;
  }
  return keep_routes(wanted, false, link->index);
}

Result<void> Tunnels::sweep_links(const std::vector<Plan>& plans) {
  const auto links = nl::list_links(socket_);
  if (!links) return std::unexpected(links.error());
  for (const nl::Link& link : *links) {
    if (!is_ours(link)) continue;
    const bool wanted = std::ranges::any_of(plans, [&](const Plan& plan) {
      return plan.wanted.interface == link.name && alias_of(plan.wanted.id) == link.alias;
    });
    if (wanted) continue;
    auto done = wireguard_->destroy(link.name);
    if (!done && done.error().code != ENODEV) return done;
  }
  return {};
}

Result<void> Tunnels::sweep_routes(const std::vector<Plan>& plans) {
  std::vector<nl::Route> wanted;
  for (const Plan& plan : plans) {
    const auto link = nl::find_link(socket_, plan.wanted.interface);
    for (const nl::Route& route : plan.wanted.routes) wanted.push_back(on_device(route, link ? link->index : 0));
  }
  const auto present = nl::list_routes(socket_, kProtocol);
  if (!present) return std::unexpected(present.error());
  for (const nl::Route& route : *present) {
    if (holds(wanted, route)) continue;
    auto done = nl::delete_route(socket_, route);
    if (!done && done.error().code != ESRCH) return done;
  }
  return {};
}

Result<void> Tunnels::sweep_rules(const std::vector<Plan>& plans) {
  const auto present = nl::list_rules(socket_, kProtocol);
  if (!present) return std::unexpected(present.error());
  for (const nl::Rule& rule : *present) {
    if (std::ranges::any_of(plans, [&](const Plan& plan) { return holds(plan.wanted.rules, rule); })) continue;
    auto done = nl::delete_rule(socket_, rule);
    if (!done && done.error().code != ENOENT) return done;
  }
  return {};
}

Result<void> Tunnels::sweep(const std::vector<Plan>& plans) {
  if (auto done = sweep_links(plans); !done) return done;
  if (auto done = sweep_rules(plans); !done) return done;
  return sweep_routes(plans);
}

Result<Tunnels::State> Tunnels::read(const std::string& id, const std::string& interface, const PublicKey& gateway) {
  const auto link = nl::find_link(socket_, interface);
  if (!link) return std::unexpected(link.error());
  if (link->alias != alias_of(id)) return failure(ENODEV, "read the tunnel of", id, interface + " is not of it");
  const auto device = wireguard_->read(interface);
  if (!device) return std::unexpected(device.error());
  State out{.ifindex = link->index,
            .up = link->up,
            .key = device->public_key,
            .listen_port = device->listen_port,
            .peer = {}};
  if (const auto peer = device->states.find(gateway); peer != device->states.end()) out.peer = peer->second;
  return out;
}

}  // namespace gw::connect
