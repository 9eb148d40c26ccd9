// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/base/label.h"
#include "gatewayd/config/draft.h"
#include "gatewayd/config/names.h"
#include "gatewayd/config/selector.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

constexpr uint64_t kMinMtu = 1280;  // RFC 8200 §5
constexpr uint64_t kMaxMtu = 65535;
constexpr uint16_t kEchoRequest = 8U << 8U;      // ICMP type 8, code 0 (RFC 792), as Service has it
constexpr uint64_t kMaxInitiations = 1'000'000;  // a second and source: above it a limit means nothing

YamlNode empty_map(const Mark& mark = {}) {
  YamlNode node;
  node.mark = mark;
  return node;
}

bool holds_echo_request(const Service& service) {
  return service.first <= kEchoRequest && kEchoRequest <= service.last;
}

/// On the public side the host itself answers, and what of ICMP is no error or echo request it does not need.
void check_icmp(Diagnostics& diagnostics, const Text& text, const std::vector<Service>& services) {
  const auto is_icmp = [](const Service& service) { return service.kind == Service::Kind::icmp; };
  if (std::ranges::any_of(services, is_icmp) &&
      std::ranges::none_of(services, [&](const Service& s) { return is_icmp(s) && holds_echo_request(s); }))
    diagnostics.error(text.mark, fmt::format("'{}' cannot be opened on the public side: of ICMP only echo requests "
                                             "can; write ping (errors of open flows pass anyway)",
                                             text.text));
}

std::vector<Service> read_allow(Diagnostics& diagnostics, const YamlNode* node, const Draft& draft) {
  std::vector<Service> out;
  if (node == nullptr) {
    for (const char* name : {"ssh", "ping"}) {
      const auto& services = built_in_services().at(name);
      out.insert(out.end(), services.begin(), services.end());
    }
  }
  for (const Text& text : read_texts(diagnostics, node)) {
    if (const auto services = services_of(text.text, draft.config.services)) {
      out.insert(out.end(), services->begin(), services->end());
      check_icmp(diagnostics, text, *services);
    } else {
      diagnostics.error(text.mark, services.error());
    }
    if (text.text == "any")
      diagnostics.warning(text.mark,
                          "every service of the gateway is open on the public side; name those that are needed");
  }
  return out;
}

void read_public(Diagnostics& diagnostics, const YamlNode& node, Draft& draft) {
  const Section section(diagnostics, node, "gateway.public",
                        {"interface", "endpoint", "listen_port", "allow", "enroll_port"});
  Public& side = draft.config.public_side;
  if (const YamlNode* interface = section.require("interface", "interface: eth0")) {
    side.interface = read_device(diagnostics, interface);
    draft.devices.push_back({side.interface, interface->mark, "the public interface"});
  }
  if (const auto port = read_number(diagnostics, section.get("listen_port"), 1, UINT16_MAX))
    side.listen_port = static_cast<uint16_t>(*port);
  if (const auto port = read_number(diagnostics, section.get("enroll_port"), 1, UINT16_MAX))
    side.enroll_port = static_cast<uint16_t>(*port);
  side.endpoint = read_endpoint(diagnostics, section.get("endpoint"), side.listen_port);
  side.allow = read_allow(diagnostics, section.get("allow"), draft);
}

std::optional<Dns> read_dns(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  if (node == nullptr) return std::nullopt;
  const Section section(diagnostics, *node, "vpn.dns", {"domain", "forward"});
  Dns dns;
  if (const auto domain = read_text(diagnostics, section.require("domain", "domain: vpn.internal"))) {
    dns.domain = lower_case(domain->text);
    if (!is_host_name(domain->text))
      diagnostics.error(domain->mark, fmt::format("'{}' is no domain; write one such as vpn.internal", domain->text));
    draft.domain = domain;
  }
  draft.forward = read_addresses(diagnostics, section.get("forward"));
  dns.forward = values(draft.forward);
  return dns;
}

void read_pool(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  if (node == nullptr) return;
  const auto prefixes = read_prefixes(diagnostics, node);
  if (node->is(YamlNode::Kind::sequence) && node->items.empty())
    diagnostics.error(node->mark, "vpn.subnets is empty; write at least one prefix, such as [172.16.201.0/24]");
  for (const auto& [prefix, mark] : prefixes) {
    for (const Claim& other : draft.claims) {
      if (other.prefix.address.family != prefix.address.family || other.prefix.overlaps(prefix)) continue;
      diagnostics.error(
          mark,
          fmt::format(
              "a second VPN prefix of one family, beside {} at {}; keep one, a client gets one address of each family",
              other.prefix.str(), diagnostics.place(other.mark)));
    }
    draft.claims.push_back({prefix, mark, "vpn.subnets"});
  }
  draft.config.vpn.subnets = values(prefixes);
}

}  // namespace

void read_gateway(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  const YamlNode none = empty_map();
  const Section section(diagnostics, node != nullptr ? *node : none, "gateway", {"name", "public"});
  draft.config.name = read_label(diagnostics, section.get("name")).value_or("gateway");
  if (const YamlNode* side = section.require("public", "public: {interface: eth0}"))
    read_public(diagnostics, *side, draft);
}

void read_vpn(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  const YamlNode none = empty_map();
  const Section section(diagnostics, node != nullptr ? *node : none, "vpn",
                        {"interface", "mtu", "subnets", "tunnel", "dns"});
  Vpn& vpn = draft.config.vpn;
  Mark mark = node != nullptr ? node->mark : Mark{};
  if (const YamlNode* interface = section.get("interface")) {
    vpn.interface = read_device(diagnostics, interface);
    mark = interface->mark;
  }
  draft.devices.push_back({vpn.interface, mark, "the VPN interface"});
  if (const auto mtu = read_number(diagnostics, section.get("mtu"), kMinMtu, kMaxMtu))
    vpn.mtu = static_cast<uint32_t>(*mtu);
  read_pool(diagnostics, section.require("subnets", "subnets: [172.16.201.0/24]"), draft);
  vpn.tunnel = read_word<Tunnel>(diagnostics, section.get("tunnel"), {{"split", Tunnel::split}, {"full", Tunnel::full}})
                   .value_or(Tunnel::split);
  vpn.dns = read_dns(diagnostics, section.get("dns"), draft);
}

void read_dataplane(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  if (node == nullptr) return;
  const Section section(diagnostics, *node, "dataplane", {"fast_path"});
  draft.config.dataplane.fast_path =
      read_word<FastPath>(diagnostics, section.get("fast_path"),
                          {{"auto", FastPath::automatic}, {"on", FastPath::on}, {"off", FastPath::off}})
          .value_or(FastPath::automatic);
}

void read_guard(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  if (node == nullptr) return;
  const Section section(diagnostics, *node, "guard", {"hook", "initiations_per_source"});
  draft.config.guard.hook =
      read_word<GuardHook>(diagnostics, section.get("hook"),
                           {{"auto", GuardHook::automatic}, {"xdp", GuardHook::xdp}, {"tc", GuardHook::tc}})
          .value_or(GuardHook::automatic);
  if (const auto limit = read_number(diagnostics, section.get("initiations_per_source"), 0, kMaxInitiations))
    draft.config.guard.initiations_per_source = static_cast<uint32_t>(*limit);
}

void read_network(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  if (node == nullptr) return;
  const Section section(diagnostics, *node, "network", {"address_space"});
  draft.address_space = read_prefixes(diagnostics, section.get("address_space"));
  draft.config.address_space = values(draft.address_space);
}

}  // namespace gw::config
