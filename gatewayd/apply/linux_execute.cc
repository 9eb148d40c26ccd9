// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <charconv>

#include "gatewayd/apply/linux_parts.h"
#include "gatewayd/apply/linux_sysctl.h"
#include "netlink/address.h"
#include "netlink/link.h"
#include "netlink/nftables.h"
#include "netlink/route.h"

namespace gw::apply {
namespace {

/// For removals: what is gone already is as was asked.
Result<void> unless_gone(Result<void> result) {
  if (result) return result;
  switch (result.error().code) {
    case ENODEV:
    case ENXIO:
    case ENOENT:
    case ESRCH:
    case EADDRNOTAVAIL:
      return {};
    default:
      return result;
  }
}

nl::WgPeer to_netlink(const plan::Peer& peer) {
  nl::WgPeer out{.endpoint = {}, .keepalive = peer.keepalive, .allowed_ips = peer.allowed_ips};
  if (peer.endpoint) out.endpoint = {peer.endpoint->first, peer.endpoint->second};
  return out;
}

/// One operation each; `p` is the kernel, `desired` gives what the operation only names.
struct Execute {
  LinuxKernel::Parts& p;
  const plan::Desired& desired;
  const SecretKey& key;

  Result<uint32_t> index(const std::string& device) const { return index_of(p.route, device); }

  /// Makes a device and marks it, or finishes what a crash left between the two.
  template <class Make>
  Result<void> make_link(const std::string& device, Make&& make) const {
    const bool resumed = p.journal.was_beginning(device);
    // Asked before the note is written: a note must never name a device that was there already.
    if (!resumed && nl::find_link(p.route, device)) return failure(EEXIST, "make interface", device);
    if (auto begun = p.journal.begin(device); !begun) return begun;
    if (auto made = make(); !made && !(resumed && made.error().code == EEXIST)) {
      if (auto ended = p.journal.end(); !ended) made.error().detail += "; " + ended.error().message();
      return made;
    }
    const auto made = index(device);
    if (!made) return std::unexpected(made.error());
    if (auto marked = nl::set_link_alias(p.route, *made, link_alias(p.instance)); !marked) return marked;
    return p.journal.end();
  }

  Result<void> operator()(const plan::CreateVpnLink& op) const {
    return make_link(op.link.name, [&] { return p.wireguard->create(op.link.name); });
  }
  Result<void> operator()(const plan::CreateVlanLink& op) const {
    const auto parent = index(op.link.parent);
    if (!parent) return std::unexpected(parent.error());
    return make_link(op.link.name, [&] { return nl::add_vlan_link(p.route, op.link.name, *parent, op.link.vlan); });
  }
  Result<void> operator()(const plan::SetMtu& op) const {
    const auto device = index(op.device);
    return device ? nl::set_link_mtu(p.route, *device, op.mtu) : std::unexpected(device.error());
  }
  Result<void> operator()(const plan::SetUp& op) const {
    const auto device = index(op.device);
    return device ? nl::set_link_up(p.route, *device, op.up) : std::unexpected(device.error());
  }
  Result<void> operator()(const plan::DeleteLink& op) const {
    const auto link = nl::find_link(p.route, op.device);
    if (!link) return unless_gone(std::unexpected(link.error()));
    // Another may have taken the name since we looked.
    if (link->alias != link_alias(p.instance)) return {};
    return unless_gone(op.wireguard ? p.wireguard->destroy(op.device) : nl::delete_link(p.route, link->index));
  }

  Result<nl::Address> resolve(const plan::Address& address) const {
    const auto device = index(address.device);
    if (!device) return std::unexpected(device.error());
    return nl::Address{
        .ifindex = *device, .address = address.address, .length = address.length, .protocol = nl::kAddressProtocol};
  }
  Result<void> operator()(const plan::AddAddress& op) const {
    const auto address = resolve(op.address);
    return address ? nl::add_address(p.route, *address) : std::unexpected(address.error());
  }
  Result<void> operator()(const plan::DeleteAddress& op) const {
    const auto address = resolve(op.address);
    return unless_gone(address ? nl::delete_address(p.route, *address) : std::unexpected(address.error()));
  }

  Result<nl::Route> resolve(const plan::Route& route) const {
    const auto device = index(route.device);
    if (!device) return std::unexpected(device.error());
    return nl::Route{.dst = route.dst, .via = route.via, .oif = *device, .protocol = nl::kRouteProtocol};
  }
  Result<void> operator()(const plan::AddRoute& op) const {
    const auto route = resolve(op.route);
    return route ? nl::add_route(p.route, *route) : std::unexpected(route.error());
  }
  Result<void> operator()(const plan::DeleteRoute& op) const {
    const auto route = resolve(op.route);
    return unless_gone(route ? nl::delete_route(p.route, *route) : std::unexpected(route.error()));
  }

  Result<void> operator()(const plan::ChangeWireGuard& op) const {
    nl::WgChange change{.private_key = {}, .listen_port = op.listen_port, .set = {}, .remove = op.remove};
    if (op.set_key) change.private_key = key;
    for (const auto& [peer_key, peer] : op.add) change.set[peer_key] = to_netlink(peer);
    for (const auto& [peer_key, peer] : op.change) change.set[peer_key] = to_netlink(peer);
    return p.wireguard->change(op.device, change);
  }

  Result<void> operator()(const plan::InstallPolicy&) const {
    bpf::Hosts hosts;
    for (const auto& [address, host] : desired.policy.hosts) hosts[address] = to_bpf(host);
    return p.dataplane.install(desired.compiled.image, hosts);
  }
  Result<void> operator()(const plan::PutHost& op) const { return p.dataplane.put_host(op.address, to_bpf(op.host)); }
  Result<void> operator()(const plan::EraseHost& op) const { return p.dataplane.erase_host(op.address); }
  Result<void> operator()(const plan::BumpGeneration&) const {
    const auto bumped = p.dataplane.bump_generation();
    return bumped ? Result<void>() : std::unexpected(bumped.error());
  }
  Result<void> operator()(const plan::PutLinkEntry& op) const {
    const auto device = index(op.device);
    if (!device) return std::unexpected(device.error());
    const auto out = op.entry.out.empty() ? Result<uint32_t>(0) : index(op.entry.out);
    if (!out) return std::unexpected(out.error());
    return p.dataplane.put_link(*device, {.link = op.entry.link,
                                          .flags = op.entry.flags,
                                          .vlans = op.entry.vlans,
                                          .mac = op.entry.mac,
                                          .out_ifindex = *out,
                                          .out_vid = op.entry.out_vid});
  }
  Result<void> operator()(const plan::EraseLinkEntry& op) const {
    constexpr std::string_view kGone = "ifindex ";
    uint32_t number = 0;
    if (op.device.starts_with(kGone)) {
      std::from_chars(op.device.data() + kGone.size(), op.device.data() + op.device.size(), number);
      return unless_gone(p.dataplane.erase_link(number));
    }
    const auto device = index(op.device);
    return unless_gone(device ? p.dataplane.erase_link(*device) : std::unexpected(device.error()));
  }
  Result<void> operator()(const plan::PutGuard& op) const { return p.dataplane.put_guard(to_bpf(op.settings)); }
  Result<void> operator()(const plan::PutBlock& op) const { return p.dataplane.put_block(op.prefix, op.until_ns); }
  Result<void> operator()(const plan::EraseBlock& op) const { return p.dataplane.erase_block(op.prefix); }
  Result<void> operator()(const plan::Attach& op) const {
    const auto device = index(op.attachment.device);
    if (!device) return std::unexpected(device.error());
    auto attached = p.dataplane.attach({.ifindex = *device, .hook = to_bpf(op.attachment.hook)});
    // A driver that refuses XDP does so for good: the next plan is made without it (LinuxKernel::facts).
    const bool xdp = op.attachment.hook == plan::Hook::xdp || op.attachment.hook == plan::Hook::guard_xdp;
    if (!attached && xdp) p.card_trouble[op.attachment.device] = attached.error().message();
    return attached;
  }
  Result<void> operator()(const plan::Detach& op) const {
    const auto device = index(op.attachment.device);
    if (!device) return unless_gone(std::unexpected(device.error()));
    return unless_gone(p.dataplane.detach({.ifindex = *device, .hook = to_bpf(op.attachment.hook)}));
  }

  Result<void> operator()(const plan::LoadFirewall&) const { return nl::load_frame(desired.frame); }
  Result<void> operator()(const plan::DeleteFirewall&) const {
    return unless_gone(nl::delete_frame(nl::Frame().table));
  }

  Result<void> operator()(const plan::SetSysctl& op) const {
    auto written = write_sysctl(op.name, op.value);
    if (written || written.error().code != ENOENT) return written;
    // The settings of a device come and go with it.
    const std::string device = plan::device_of(op);
    if (!device.empty()) {
      if (const auto there = index(device); !there) return std::unexpected(there.error());
    }
    return written;
  }
};

}  // namespace

Result<void> LinuxKernel::execute(const plan::Operation& operation, const plan::Desired& desired,
                                  const SecretKey& key) {
  auto done = std::visit(Execute{*parts_, desired, key}, operation);
  if (!done) return std::unexpected(with_hint(std::move(done.error()), operation, desired));
  return done;
}

}  // namespace gw::apply
