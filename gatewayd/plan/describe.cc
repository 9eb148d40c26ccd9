// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gatewayd/plan/plan.h"

namespace gw::plan {
namespace {

std::string text(const Address& address) {
  return fmt::format("address {}/{} on {}", address.address.str(), address.length, address.device);
}

std::string text(const Route& route) {
  const std::string via = route.via ? " via " + route.via->str() : std::string();
  return fmt::format("route {}{} on {}", route.dst.str(), via, route.device);
}

std::string text(const Attachment& attachment) {
  if (attachment.hook == Hook::xdp) return fmt::format("XDP on {}", attachment.device);
  if (attachment.hook == Hook::guard_xdp) return fmt::format("guard XDP on {}", attachment.device);
  const char* direction = attachment.hook == Hook::vpn_egress ? "egress" : "ingress";
  const char* what = attachment.hook == Hook::guard_ingress ? "guard" : "policy";
  return fmt::format("{} {} on {}", what, direction, attachment.device);
}

/// As much of a key as tells it apart.
std::string text(const PublicKey& key) { return key.str().substr(0, 8) + "…"; }

std::string text(const std::set<PublicKey>& keys) {
  return keys.size() == 1 ? "peer " + text(*keys.begin()) : fmt::format("{} peers", keys.size());
}

std::string text(const std::map<PublicKey, Peer>& peers) {
  if (peers.size() != 1) return fmt::format("{} peers", peers.size());
  std::vector<std::string> allowed;
  for (const Prefix& prefix : peers.begin()->second.allowed_ips) allowed.push_back(prefix.str());
  return fmt::format("peer {} ({})", text(peers.begin()->first), fmt::join(allowed, ", "));
}

std::string text(const Host& host) {
  if ((host.flags & GW_HOST_GATEWAY) != 0) return "gateway";
  return fmt::format("client {}", host.client);
}

struct Describe {
  std::string operator()(const CreateVpnLink& op) const { return fmt::format("+ link {} (WireGuard)", op.link.name); }
  std::string operator()(const CreateVlanLink& op) const {
    return fmt::format("+ link {} (VLAN {} of {})", op.link.name, op.link.vlan, op.link.parent);
  }
  std::string operator()(const SetMtu& op) const { return fmt::format("~ link {}: MTU {}", op.device, op.mtu); }
  std::string operator()(const SetUp& op) const {
    return fmt::format("~ link {}: {}", op.device, op.up ? "up" : "down");
  }
  std::string operator()(const DeleteLink& op) const { return fmt::format("- link {}", op.device); }
  std::string operator()(const AddAddress& op) const { return "+ " + text(op.address); }
  std::string operator()(const DeleteAddress& op) const { return "- " + text(op.address); }
  std::string operator()(const AddRoute& op) const { return "+ " + text(op.route); }
  std::string operator()(const DeleteRoute& op) const { return "- " + text(op.route); }
  std::string operator()(const ChangeWireGuard& op) const {
    std::vector<std::string> parts;
    if (op.set_key) parts.emplace_back("~ private key");
    if (op.listen_port) parts.push_back(fmt::format("~ listen port {}", *op.listen_port));
    if (!op.remove.empty()) parts.push_back("- " + text(op.remove));
    if (!op.change.empty()) parts.push_back("~ " + text(op.change));
    if (!op.add.empty()) parts.push_back("+ " + text(op.add));
    return fmt::format("{} on {}", fmt::join(parts, ", "), op.device);
  }
  std::string operator()(const InstallPolicy&) const { return "~ policy (all tables)"; }
  std::string operator()(const PutHost& op) const {
    return fmt::format("~ policy: host {} ({})", op.address.str(), text(op.host));
  }
  std::string operator()(const EraseHost& op) const { return fmt::format("- policy: host {}", op.address.str()); }
  std::string operator()(const BumpGeneration&) const { return "~ policy: generation (open flows are judged again)"; }
  std::string operator()(const PutLinkEntry& op) const {
    return fmt::format("~ policy: interface {} (link {})", op.device, op.entry.link);
  }
  std::string operator()(const EraseLinkEntry& op) const { return fmt::format("- policy: interface {}", op.device); }
  std::string operator()(const PutGuard& op) const {
    return fmt::format("~ guard: WireGuard port {}, {}", op.settings.port,
                       op.settings.initiations == 0
                           ? "no limit of initiations"
                           : fmt::format("{} initiations a second from one source", op.settings.initiations));
  }
  std::string operator()(const PutBlock& op) const { return fmt::format("+ guard: block {}", op.prefix.str()); }
  std::string operator()(const EraseBlock& op) const { return fmt::format("- guard: block {}", op.prefix.str()); }
  std::string operator()(const Attach& op) const { return "+ program " + text(op.attachment); }
  std::string operator()(const Detach& op) const { return "- program " + text(op.attachment); }
  std::string operator()(const LoadFirewall&) const { return "~ firewall frame (nftables)"; }
  std::string operator()(const DeleteFirewall&) const { return "- firewall frame (nftables)"; }
  std::string operator()(const SetSysctl& op) const { return fmt::format("~ sysctl {} = {}", op.name, op.value); }
};

/// "net.ipv4.conf.eth1/20.rp_filter" -> "eth1.20"; empty for settings of the whole host.
std::string device_of_sysctl(const std::string& name) {
  const size_t begin = name.find(".conf.");
  if (begin == std::string::npos) return {};
  const size_t from = begin + 6;
  std::string device = name.substr(from, name.rfind('.') - from);
  std::ranges::replace(device, '/', '.');
  return device == "all" || device == "default" ? std::string() : device;
}

struct Device {
  std::string operator()(const CreateVpnLink& op) const { return op.link.name; }
  std::string operator()(const CreateVlanLink& op) const { return op.link.name; }
  std::string operator()(const AddAddress& op) const { return op.address.device; }
  std::string operator()(const DeleteAddress& op) const { return op.address.device; }
  std::string operator()(const AddRoute& op) const { return op.route.device; }
  std::string operator()(const DeleteRoute& op) const { return op.route.device; }
  std::string operator()(const Attach& op) const { return op.attachment.device; }
  std::string operator()(const Detach& op) const { return op.attachment.device; }
  std::string operator()(const SetSysctl& op) const { return device_of_sysctl(op.name); }
  std::string operator()(const auto& op) const {
    if constexpr (requires { op.device; }) {
      return op.device;
    } else {
      return {};
    }
  }
};

struct Essential {
  bool operator()(const CreateVpnLink& /*op*/) const { return true; }
  bool operator()(const ChangeWireGuard& /*op*/) const { return true; }
  bool operator()(const InstallPolicy& /*op*/) const { return true; }
  bool operator()(const PutHost& /*op*/) const { return true; }
  bool operator()(const EraseHost& /*op*/) const { return true; }
  bool operator()(const PutLinkEntry& /*op*/) const { return true; }
  bool operator()(const PutGuard& /*op*/) const { return true; }
  bool operator()(const PutBlock& /*op*/) const { return true; }
  bool operator()(const LoadFirewall& /*op*/) const { return true; }
  bool operator()(const Attach& op) const { return op.attachment.hook != Hook::xdp; }
  bool operator()(const SetSysctl& op) const { return is_forwarding(op.name); }
  bool operator()(const auto& /*op*/) const { return false; }
};

}  // namespace

bool is_essential(const Operation& operation) { return std::visit(Essential{}, operation); }

std::string describe(const Operation& operation) { return std::visit(Describe{}, operation); }

std::string device_of(const Operation& operation) { return std::visit(Device{}, operation); }

}  // namespace gw::plan
