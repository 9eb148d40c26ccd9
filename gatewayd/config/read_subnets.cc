// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/config/draft.h"
#include "gatewayd/config/names.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

constexpr uint64_t kMaxVlan = 4094;  // IEEE 802.1Q §9.6: 0 and 4095 are reserved

/// The network address of an IPv4 prefix and its broadcast address belong to no host (RFC 3021: but for /31 and /32).
bool is_edge(const Prefix& prefix, const IpAddress& address) {
  if (address.family != Family::v4 || prefix.length >= 31) return false;
  return address == prefix.address || address == prefix.nth(prefix.size() - 1);
}

class SubnetReader {
 public:
  SubnetReader(Diagnostics& diagnostics, const Named& named)
      : diagnostics_(diagnostics),
        named_(named),
        what_(fmt::format("subnet '{}'", named.name)),
        section_(diagnostics, *named.value, what_,
                 {"prefixes", "interface", "vlan", "address", "via", "hosts", "description"}) {}

  Subnet read(Draft& draft) {
    prefixes_ = read_prefixes(diagnostics_, section_.require("prefixes", "prefixes: [10.1.1.0/24]"));
    for (const auto& [prefix, mark] : prefixes_) draft.claims.push_back({prefix, mark, what_});
    subnet_.prefixes = values(prefixes_);
    subnet_.origin = diagnostics_.origin(named_.mark);
    if (const YamlNode* list = section_.get("prefixes");
        list != nullptr && list->is(YamlNode::Kind::sequence) && list->items.empty()) {
      diagnostics_.error(list->mark, fmt::format("{} has no prefix; write prefixes: [10.1.1.0/24]", what_));
    }
    read_link(draft);
    read_address();
    read_via();
    read_hosts(draft);
    if (const auto text = read_text(diagnostics_, section_.get("description"))) subnet_.description = text->text;
    return std::move(subnet_);
  }

 private:
  void read_link(Draft& draft) {
    const YamlNode* interface = section_.require("interface", "interface: eth1");
    if (interface != nullptr) subnet_.interface = read_device(diagnostics_, interface);
    const YamlNode* vlan = section_.get("vlan");
    if (const auto id = read_number(diagnostics_, vlan, 1, kMaxVlan)) subnet_.vlan = static_cast<uint16_t>(*id);
    if (interface == nullptr) return;
    const std::string device = subnet_.device();
    if (const auto why = subnet_.vlan && !why_no_device(subnet_.interface) ? why_no_device(device) : std::nullopt) {
      diagnostics_.error(vlan->mark,
                         fmt::format("the VLAN device would be called '{}': {}; rename {} to something shorter", device,
                                     *why, subnet_.interface));
    }
    draft.devices.push_back({device, interface->mark, fmt::format("the device of {}", what_)});
  }

  /// The prefix of the subnet that holds the address, nullptr for none.
  [[nodiscard]] const Prefix* home_of(const IpAddress& address) const {
    const auto found = std::find_if(subnet_.prefixes.begin(), subnet_.prefixes.end(),
                                    [&](const Prefix& prefix) { return prefix.contains(address); });
    return found == subnet_.prefixes.end() ? nullptr : &*found;
  }

  void read_address() {
    for (const auto& [address, mark] : read_addresses(diagnostics_, section_.get("address"))) {
      const Prefix* home = home_of(address);
      if (home == nullptr && !subnet_.prefixes.empty()) {
        diagnostics_.error(mark, fmt::format("address {} lies in no prefix of {}; take one within {}", address.str(),
                                             what_, subnet_.prefixes.front().str()));
      } else if (home != nullptr && is_edge(*home, address)) {
        diagnostics_.error(mark,
                           fmt::format("address {} is the network or broadcast address of {}; take one between them",
                                       address.str(), home->str()));
      }
      subnet_.address.push_back(address);
    }
  }

  void read_via() {
    const YamlNode* node = section_.get("via");
    if (node == nullptr) return;
    if (const YamlNode* address = section_.get("address")) {
      diagnostics_.error(
          address->mark,
          fmt::format(
              "{} has both 'address' and 'via'; a routed subnet (via) has no address of the gateway in it: delete one",
              what_));
    }
    for (const auto& [via, mark] : read_addresses(diagnostics_, node)) {
      const auto same = [family = via.family](const IpAddress& other) { return other.family == family; };
      if (std::any_of(subnet_.via.begin(), subnet_.via.end(), same)) {
        diagnostics_.error(mark, fmt::format("{} has two next hops of one family; keep one", what_));
      }
      if (const Prefix* home = home_of(via)) {
        diagnostics_.error(
            mark, fmt::format("next hop {} lies within {}, the subnet it leads to; name the router on this side",
                              via.str(), home->str()));
      }
      subnet_.via.push_back(via);
    }
    for (const auto& [prefix, mark] : prefixes_) {
      const auto same = [family = prefix.address.family](const IpAddress& via) { return via.family == family; };
      if (!subnet_.via.empty() && std::none_of(subnet_.via.begin(), subnet_.via.end(), same)) {
        diagnostics_.error(
            mark, fmt::format("'via' has no next hop of the family of {}; add one, as in via: [10.1.0.1, \"fd00::1\"]",
                              prefix.str()));
      }
    }
  }

  void read_hosts(Draft& draft) {
    for (const Named& host : read_names(diagnostics_, section_.get("hosts"), "host")) {
      NamedHost& out = subnet_.hosts[lower_case(host.name)];
      out.origin = diagnostics_.origin(host.mark);
      draft.hosts.push_back({lower_case(host.name), named_.name, host.mark});
      const bool null = host.value->is(YamlNode::Kind::null);
      for (const auto& [address, mark] : read_addresses(diagnostics_, null ? nullptr : host.value)) {
        const Prefix* home = home_of(address);
        if (home == nullptr && !subnet_.prefixes.empty()) {
          diagnostics_.error(mark, fmt::format("address {} of host '{}' lies in no prefix of {}; take one within {}",
                                               address.str(), host.name, what_, subnet_.prefixes.front().str()));
        } else if (home != nullptr && is_edge(*home, address)) {
          diagnostics_.error(mark, fmt::format("address {} of host '{}' is the network or broadcast address of {}",
                                               address.str(), host.name, home->str()));
        }
        out.addresses.push_back(address);
      }
      if (null || (host.value->is(YamlNode::Kind::sequence) && host.value->items.empty()))
        diagnostics_.error(host.mark,
                           fmt::format("host '{}' has no address; write {}: 10.1.1.10", host.name, host.name));
    }
  }

  Diagnostics& diagnostics_;
  const Named& named_;
  std::string what_;
  Section section_;
  std::vector<PlacedPrefix> prefixes_;
  Subnet subnet_;
};

}  // namespace

void read_subnets(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  for (const Named& named : read_names(diagnostics, node, "subnet")) {
    draft.subnets.emplace(named.name, named.mark);
    draft.config.subnets.emplace(named.name, SubnetReader(diagnostics, named).read(draft));
  }
}

}  // namespace gw::config
