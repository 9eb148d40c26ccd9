// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/config/config.h"

/// What dnsmasq(8) is given to serve names of `vpn.dns.domain`. Pure.
namespace gw::names {

/// A client and its addresses; only those with access are passed in.
struct Entry {
  std::string name;  ///< a label
  std::vector<IpAddress> addresses;
  bool operator==(const Entry&) const = default;
};

/// The gateway's addresses in the VPN, at which it is asked: the first of each pool.
std::vector<IpAddress> served_at(const config::Config& config);

/// "alice.vpn.internal"; empty where no names are served, and for what is no label.
std::string full_name(const config::Config& config, const std::string& name);

/// A hosts(5) file: first the gateway under its two names, then hosts, then clients. A line for each address. Of equal
/// names the first counts: a registry may be older than the configuration that takes a client's name. What is no label
/// is left out, so that nothing can be put into the file but names of this domain. Empty without `vpn.dns`.
std::string hosts_file(const config::Config& config, std::span<const Entry> clients);

/// Configuration for dnsmasq, which reads hosts from `hosts_directory` and follows what is renamed into it. It listens
/// at `served_at` alone, keeps questions for the own domain and for addresses of our prefixes and of private ones to
/// itself, and believes nobody who names an address of a client (DNS rebinding). Empty without `vpn.dns`.
std::string server_file(const config::Config& config, const std::string& hosts_directory);

/// The domains below in-addr.arpa (RFC 1035 §3.5) and ip6.arpa (RFC 3596 §2.5) that hold the reverse names of a prefix
/// and of nothing else: one, or up to 128 where its length is not at the border of an octet or nibble.
std::vector<std::string> reverse_zones(const Prefix& prefix);

}  // namespace gw::names
