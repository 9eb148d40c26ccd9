// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>

#include "gatewayd/config/draft.h"
#include "gatewayd/config/names.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

/// What is left of 253 characters (RFC 1035 §2.3.4) beside the longest label and its dot.
constexpr size_t kLongestDomain = 253 - 63 - 1;

void check_domain(Diagnostics& diagnostics, const Text& domain) {
  const std::string lower = lower_case(domain.text);
  const std::string last = lower.substr(lower.rfind('.') + 1);
  static constexpr std::array<std::string_view, 4> kSpecial = {"localhost", "invalid", "onion", "arpa"};
  const std::string other = "; write one that is yours, or vpn.internal";
  if (std::ranges::find(kSpecial, last) != kSpecial.end()) {
    diagnostics.error(domain.mark, fmt::format("programs never ask a name server for names of '{}' (RFC 6761){}",
                                               domain.text, other));
  } else if (parse_number(last, UINT64_MAX)) {
    diagnostics.error(domain.mark, fmt::format("'{}' reads as an address{}", domain.text, other));
  } else if (last == "local") {
    diagnostics.warning(
        domain.mark,
        fmt::format("many programs ask the local link, and not a name server, for names of '{}' (RFC 6762){}",
                    domain.text, other));
  } else if (domain.text.size() > kLongestDomain) {
    diagnostics.error(domain.mark, fmt::format("with the longest name before it this domain has more than 253 "
                                               "characters; take one of at most {}",
                                               kLongestDomain));
  }
}

/// Addresses at which the gateway would ask itself.
bool is_own(const IpAddress& address, const Config& config) {
  const auto in_pool = [&](const Prefix& pool) { return pool.nth(1) == address; };
  const auto in_subnet = [&](const auto& entry) {
    return std::ranges::find(entry.second.address, address) != entry.second.address.end();
  };
  return std::ranges::any_of(config.vpn.subnets, in_pool) || std::ranges::any_of(config.subnets, in_subnet);
}

void check_forward(Diagnostics& diagnostics, const Draft& draft) {
  static const Prefix kNobody[] = {*Prefix::parse("0.0.0.0/8"), *Prefix::parse("224.0.0.0/3"), *Prefix::parse("::/128"),
                                   *Prefix::parse("ff00::/8")};
  for (const auto& [address, mark] : draft.forward) {
    if (is_own(address, draft.config)) {
      diagnostics.error(mark, fmt::format("{} is the gateway itself, which would ask itself; name another resolver, or "
                                          "delete the key: then it asks whom the host asks",
                                          address.str()));
    } else if (std::ranges::any_of(kNobody, [&](const Prefix& prefix) { return prefix.contains(address); })) {
      diagnostics.error(mark, fmt::format("nobody can be asked at {}; name a resolver", address.str()));
    }
  }
}

void check_hosts(Diagnostics& diagnostics, const Draft& draft) {
  std::map<std::string_view, const DraftHost*> seen;
  for (const DraftHost& host : draft.hosts) {
    const std::string what = fmt::format("host '{}' of subnet '{}'", host.name, host.subnet);
    const auto [first, fresh] = seen.emplace(host.name, &host);
    if (!fresh) {
      diagnostics.error(host.mark, fmt::format("{} has the name of one of subnet '{}' at {}; rename one of them", what,
                                               first->second->subnet, diagnostics.place(first->second->mark)));
    } else if (const auto why = why_kept(draft.config, host.name)) {
      diagnostics.error(host.mark, fmt::format("{} cannot have this name: {}; rename it", what, *why));
    }
  }
  if (!draft.hosts.empty() && !draft.config.vpn.dns)
    diagnostics.missing(
        draft.hosts.front().mark,
        "hosts have names only where the gateway serves a domain; write vpn: {dns: {domain: vpn.internal}}");
}

}  // namespace

void check_names(Diagnostics& diagnostics, const Draft& draft) {
  if (draft.domain) check_domain(diagnostics, *draft.domain);
  check_forward(diagnostics, draft);
  check_hosts(diagnostics, draft);
}

}  // namespace gw::config
