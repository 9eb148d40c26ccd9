// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/linux_normalise.h"

#include <algorithm>

#include "gatewayd/apply/linux_parts.h"

namespace gw::apply {
namespace {

constexpr UnixSeconds kSessionSeconds = 180;  // WireGuard's REJECT_AFTER_TIME: a newer handshake is a live session
constexpr uint32_t kMainTable = 254;

bool is_link_local(const IpAddress& address) {
  static const Prefix kLinkLocal = *Prefix::parse("fe80::/10");
  return kLinkLocal.contains(address);
}

class Normaliser {
 public:
  Normaliser(const Raw& raw, const plan::KernelState& desired, const std::string& alias, UnixSeconds now)
      : raw_(raw), desired_(desired), alias_(alias), now_(now) {
    for (const nl::Link& link : raw.links) names_[link.index] = link.name;
  }

  plan::Observed all() {
    for (const nl::Link& link : raw_.links) take(link);
    for (const nl::Address& address : raw_.addresses) take(address);
    for (const nl::Route& route : raw_.routes) take(route);
    if (raw_.wireguard) take(*raw_.wireguard);
    take_policy();
    out_.firewall.fingerprint = raw_.frame.value_or("");
    take_sysctls();
    return std::move(out_);
  }

 private:
  std::optional<std::string> name(uint32_t index) const {
    const auto found = names_.find(index);
    return found == names_.end() ? std::nullopt : std::optional(found->second);
  }

  void take(const nl::Link& link) {
    if (link.alias != alias_) return;
    if (link.vlan) {
      out_.vlans[link.name] = {
          .name = link.name, .parent = name(link.parent).value_or(""), .vlan = *link.vlan, .up = link.up};
    } else {
      // "wireguard", or "tun" of wireguard-go: to the plan they are the same.
      out_.vpns[link.name] = {.name = link.name, .mtu = link.mtu, .up = link.up};
    }
  }

  void take(const nl::Address& raw) {
    const auto device = name(raw.ifindex);
    if (!device) return;  // went while we read
    const plan::Address address{*device, raw.address, raw.length};
    const bool our_device = out_.vpns.contains(*device) || out_.vlans.contains(*device);
    // The kernel itself puts link-local addresses on a device that comes up.
    const bool on_ours = our_device && !is_link_local(raw.address);
    // Before Linux 5.18 addresses carry no mark, and an operator may have set ours before us: then it is there, whoever
    // did it.
    const bool wanted = desired_.addresses.contains(address);
    if (on_ours || raw.protocol == nl::kAddressProtocol || wanted) out_.addresses.insert(address);
  }

  void take(const nl::Route& raw) {
    const auto device = name(raw.oif);
    if (!device || raw.table != kMainTable) return;
    const plan::Route route{raw.dst, raw.via, *device};
    // The same route set by someone else serves as well, and the kernel would refuse ours beside it.
    if (raw.protocol == nl::kRouteProtocol || desired_.routes.contains(route)) out_.routes.insert(route);
  }

  void take(const nl::WgDevice& raw) {
    out_.wireguard.device = desired_.wireguard.device;
    out_.wireguard.public_key = raw.public_key;
    out_.wireguard.listen_port = raw.listen_port;
    for (const auto& [key, peer] : raw.peers) {
      out_.wireguard.peers[key] = {
          .allowed_ips = peer.allowed_ips, .keepalive = peer.keepalive, .endpoint = endpoint(key, peer)};
    }
  }

  std::optional<std::pair<IpAddress, uint16_t>> endpoint(const PublicKey& key, const nl::WgPeer& peer) const {
    const auto wanted = desired_.wireguard.peers.find(key);
    // Clients come from where they are: their endpoint is nobody's wish.
    if (wanted == desired_.wireguard.peers.end() || !wanted->second.endpoint || !peer.endpoint) return std::nullopt;
    // A site that talks to us from elsewhere has moved; sending it back to the written address would cut it off.
    const auto state = raw_.wireguard->states.find(key);
    if (state != raw_.wireguard->states.end() && now_ - state->second.last_handshake < kSessionSeconds)
      return wanted->second.endpoint;
    return std::pair(peer.endpoint->address, peer.endpoint->port);
  }

  void take_policy() {
    out_.policy.fingerprint = raw_.installed;
    for (const auto& [address, host] : raw_.hosts) out_.policy.hosts[address] = to_plan(host);
    for (const auto& [index, link] : raw_.link_entries) {
      // An entry of a device that is gone has to be erased by number.
      const std::string device = name(index).value_or("ifindex " + std::to_string(index));
      const std::string out = link.out_ifindex == 0 ? std::string() : name(link.out_ifindex).value_or("gone");
      out_.policy.links[device] = {.link = link.link,
                                   .flags = link.flags,
                                   .vlans = link.vlans,
                                   .mac = link.mac,
                                   .out = out,
                                   .out_vid = link.out_vid};
      // The map of VIDs has no order.
      std::ranges::sort(out_.policy.links[device].vlans);
    }
    out_.guard = {.settings = to_plan(raw_.guard), .blocks = raw_.blocks};
    for (const bpf::Attachment& attachment : raw_.attachments) {
      if (const auto device = name(attachment.ifindex)) out_.attachments.insert({*device, to_plan(attachment.hook)});
    }
  }

  void take_sysctls() {
    out_.sysctls = raw_.sysctls;
    for (const auto& [name, value] : desired_.sysctls) {
      // Without IPv6 there is nothing to forward and nothing to set.
      if (!raw_.ipv6 && name.starts_with("net.ipv6.")) out_.sysctls[name] = value;
      // Someone has turned router advertisements off: they need not survive forwarding.
      if (name.ends_with(".accept_ra") && out_.sysctls.contains(name) && out_.sysctls[name] == "0")
        out_.sysctls[name] = value;
    }
  }

  const Raw& raw_;
  const plan::KernelState& desired_;
  const std::string& alias_;
  UnixSeconds now_;
  std::map<uint32_t, std::string> names_;
  plan::Observed out_;
};

}  // namespace

plan::Observed normalise(const Raw& raw, const plan::KernelState& desired, const std::string& alias, UnixSeconds now) {
  return Normaliser(raw, desired, alias, now).all();
}

}  // namespace gw::apply
