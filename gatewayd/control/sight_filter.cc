// SPDX-License-Identifier: Apache-2.0
// Which flows and verdicts somebody asks for.
#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>

#include "gatewayd/base/nearest.h"
#include "gatewayd/config/edit.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/sight.h"

namespace gw::control {
namespace {

using Kind = config::Selector::Kind;
using Prefixes = std::vector<Prefix>;

constexpr const char* kFind = "find";

std::vector<std::string> client_names(const plan::Intent& intent) {
  std::vector<std::string> out;
  out.reserve(intent.clients.size());
  for (const auto& [number, client] : intent.clients) out.push_back(client.name);
  return out;
}

std::unexpected<Error> unknown(const std::string& what, const std::string& name,
                               const std::vector<std::string>& known) {
  return failure(ENOENT, kFind, what + " " + name, "none has this name" + did_you_mean(name, known));
}

// The addresses of the clients for which `wanted` holds.
Prefixes addresses_of(const plan::Intent& intent, auto&& wanted) {
  Prefixes out;
  for (const auto& [number, client] : intent.clients) {
    if (!wanted(client)) continue;
    for (const IpAddress& address : client.addresses) out.push_back(Prefix::of(address, address.bits()));
  }
  return out;
}

Result<Prefixes> of_client(const std::string& name, const plan::Intent& intent) {
  Prefixes out = addresses_of(intent, [&](const plan::Client& client) { return client.name == name; });
  if (out.empty()) return unknown("client", name, client_names(intent));
  return out;
}

Result<Prefixes> of_selector(const config::Selector& selector, const plan::Intent& intent) {
  const config::Config& config = intent.config;
  switch (selector.kind) {
    case Kind::any:
      return Prefixes{*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};
    case Kind::vpn:
      return config.vpn.subnets;
    case Kind::prefix:
      return Prefixes{selector.prefix};
    case Kind::client:
      return of_client(selector.name, intent);
    case Kind::subnet: {
      const auto found = config.subnets.find(selector.name);
      if (found == config.subnets.end()) return unknown("subnet", selector.name, names_of(config.subnets));
      return found->second.prefixes;
    }
    case Kind::site: {
      const auto found = config.sites.find(selector.name);
      if (found == config.sites.end()) return unknown("site", selector.name, names_of(config.sites));
      return found->second.prefixes;
    }
    case Kind::group:
      if (!config.groups.contains(selector.name)) return unknown("group", selector.name, names_of(config.groups));
      return addresses_of(intent, [&](const plan::Client& client) {
        return std::ranges::find(client.groups, selector.name) != client.groups.end();
      });
    case Kind::gateway:
    case Kind::internet:
      break;
  }
  return failure(EINVAL, kFind, selector.str(), "name an address, a prefix, a client, vpn, subnet:, site: or group:");
}

// What `text` stands for; nullopt: everything.
Result<std::optional<Prefixes>> places(const std::string& text, const plan::Intent& intent) {
  if (text.empty()) return std::nullopt;
  if (const auto address = IpAddress::parse(text)) return Prefixes{Prefix::of(*address, address->bits())};
  const auto names = client_names(intent);
  const bool is_client = std::ranges::find(names, text) != names.end();
  const auto selector = config::parse_selector(is_client ? "client:" + text : text);
  if (!selector) {
    return failure(EINVAL, kFind, text, "it is no client, no address and no zone: " + selector.error().detail);
  }
  auto found = of_selector(*selector, intent);
  if (!found) return std::unexpected(found.error());
  return std::move(*found);
}

bool within(const std::optional<Prefixes>& places, const gw_addr& addr) {
  if (!places) return true;
  const IpAddress address = address_of(addr);
  return std::ranges::any_of(*places, [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool is_of(const config::Service& service, const gw_tuple& tuple) {
  using S = config::Service::Kind;
  const bool icmp = tuple.proto == IPPROTO_ICMP || tuple.proto == IPPROTO_ICMPV6;
  uint16_t key = ntohs(tuple.dport);
  switch (service.kind) {
    case S::any:
      return true;
    case S::tcp:
      if (tuple.proto != IPPROTO_TCP) return false;
      break;
    case S::udp:
      if (tuple.proto != IPPROTO_UDP) return false;
      break;
    case S::icmp:
      if (!icmp) return false;
      break;
    case S::protocol:
      key = tuple.proto;
      break;
  }
  return service.first <= key && key <= service.last;
}

bool fits(const std::string& wanted, const std::string& there) { return wanted.empty() || wanted == there; }

}  // namespace

Result<FlowMatch> FlowMatch::of(const FlowFilter& filter, const plan::Intent& intent) {
  FlowMatch out;
  if (!filter.client.empty()) {
    if (auto known = of_client(filter.client, intent); !known) return std::unexpected(known.error());
    out.client_ = filter.client;
  }
  auto from = places(filter.from, intent);
  if (!from) return std::unexpected(from.error());
  auto to = places(filter.to, intent);
  if (!to) return std::unexpected(to.error());
  out.from_ = std::move(*from);
  out.to_ = std::move(*to);
  out.rule_ = filter.rule;
  if (!filter.service.empty()) {
    auto services = config::parse_service(filter.service, intent.config.services);
    if (!services) return std::unexpected(services.error());
    out.services_ = std::move(*services);
  }
  return out;
}

bool FlowMatch::matches(const apply::Flow& flow, const FlowStatus& words) const {
  const gw_tuple& tuple = flow.entry.orig;
  if (!client_.empty() && client_ != words.client && client_ != words.to_client) return false;
  if (!fits(rule_, words.rule) || !within(from_, tuple.src) || !within(to_, tuple.dst)) return false;
  return services_.empty() || std::ranges::any_of(services_, [&](const auto& one) { return is_of(one, tuple); });
}

bool WatchFilter::admits(const Sighting& sighting) const {
  if (denied && sighting.action == "allow") return false;
  if (!client.empty() && client != sighting.client && client != sighting.to_client) return false;
  const std::string zone = "subnet:" + subnet;
  if (!subnet.empty() && zone != sighting.from_zone && zone != sighting.to_zone) return false;
  return fits(rule, sighting.rule);
}

}  // namespace gw::control
