// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/names/render.h"

#include <set>

#include "gatewayd/base/label.h"
#include "gatewayd/config/names.h"

namespace gw::names {
namespace {

using config::lower_case;

constexpr const char* kHead = "# Written by gatewayd, and again at the next change.\n";

bool is_domain(std::string_view text) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// The domain in its one spelling; empty when there is none, or none that may stand in a file.
std::string domain_of(const config::Config& config) {
  if (!config.vpn.dns) return {};
  std::string domain = lower_case(config.vpn.dns->domain);
  return is_domain(domain) ? domain : std::string();
}

/// Lines of the file, each name once.
class Hosts {
 public:
  explicit Hosts(std::string domain) : domain_(std::move(domain)), text_(kHead) {}

  /// The names are those of one machine; an address found from behind is called by the first.
  void add(std::span<const std::string> names, std::span<const IpAddress> addresses) {
    std::string full;
    for (const std::string& name : names) {
      const std::string label = lower_case(name);
      if (!is_label(label) || !taken_.insert(label).second) continue;
      full += " " + label + "." + domain_;
    }
    if (full.empty()) return;
    for (const IpAddress& address : addresses) text_ += address.str() + full + "\n";
  }

  std::string take() { return std::move(text_); }

 private:
  std::string domain_;
  std::string text_;
  std::set<std::string, std::less<>> taken_;
};

std::string reverse_v4(const IpAddress& address, unsigned octets) {
  std::string out;
  for (unsigned i = octets; i-- > 0;) out += std::to_string(address.bytes[i]) + ".";
  return out + "in-addr.arpa";
}

std::string reverse_v6(const IpAddress& address, unsigned nibbles) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned i = nibbles; i-- > 0;) {
    const unsigned byte = address.bytes[i / 2];
    out += kDigits[i % 2 == 0 ? byte >> 4U : byte & 15U];
    out += '.';
  }
  return out + "ip6.arpa";
}

std::set<Prefix> own_prefixes(const config::Config& config) {
  std::set<Prefix> all(config.vpn.subnets.begin(), config.vpn.subnets.end());
  for (const auto& [name, subnet] : config.subnets) all.insert(subnet.prefixes.begin(), subnet.prefixes.end());
  return all;
}

}  // namespace

std::vector<IpAddress> served_at(const config::Config& config) {
  std::vector<IpAddress> out;
  for (const Prefix& pool : config.vpn.subnets) {
    if (const auto first = pool.nth(1)) out.push_back(*first);
  }
  return out;
}

std::string full_name(const config::Config& config, const std::string& name) {
  const std::string domain = domain_of(config);
  const std::string label = lower_case(name);
  return domain.empty() || !is_label(label) ? std::string() : label + "." + domain;
}

std::string hosts_file(const config::Config& config, std::span<const Entry> clients) {
  const std::string domain = domain_of(config);
  if (domain.empty()) return {};
  Hosts out(domain);
  const std::vector<std::string> own = {config.name, std::string(config::kGatewayLabel)};
  out.add(own, served_at(config));
  for (const auto& [subnet_name, subnet] : config.subnets) {
    for (const auto& [name, host] : subnet.hosts) out.add({&name, 1}, host.addresses);
  }
  for (const Entry& client : clients) {
    if (!config::why_kept(config, client.name)) out.add({&client.name, 1}, client.addresses);
  }
  return out.take();
}

std::string server_file(const config::Config& config, const std::string& hosts_directory) {
  const std::string domain = domain_of(config);
  if (domain.empty()) return {};
  std::string out = kHead;
  // Addresses may come and go; bound one by one, other servers of the host keep port 53 at theirs.
  out += "port=53\nbind-dynamic\n";
  for (const IpAddress& address : served_at(config)) out += "listen-address=" + address.str() + "\n";
  out += "no-hosts\nhostsdir=" + hosts_directory + "\n";
  out += "local=/" + domain + "/\ndomain-needed\n";
  // What clients connect to may lie in the domain, and is known to others.
  const auto& endpoint = config.public_side.endpoint;
  const std::string host = endpoint ? lower_case(endpoint->host) : std::string();
  if (is_domain(host) && host.ends_with("." + domain)) out += "server=/" + host + "/#\n";
  for (const Prefix& prefix : own_prefixes(config)) {
    for (const std::string& zone : reverse_zones(prefix)) out += "local=/" + zone + "/\n";
  }
  out += "bogus-priv\n";
  for (const Prefix& pool : config.vpn.subnets) out += "bogus-nxdomain=" + pool.str() + "\n";
  if (config.vpn.dns->forward.empty()) {
    out += "resolv-file=/etc/resolv.conf\n";
  } else {
    out += "no-resolv\n";
    for (const IpAddress& server : config.vpn.dns->forward) out += "server=" + server.str() + "\n";
  }
  // RFC 9715: answers that need no fragments in the tunnel.
  out += "dns-loop-detect\nedns-packet-max=1232\ncache-size=2000\npid-file\nlog-facility=-\n";
  return out;
}

std::vector<std::string> reverse_zones(const Prefix& prefix) {
  const unsigned step = prefix.address.family == Family::v4 ? 8 : 4;
  const unsigned labels = (prefix.length + step - 1) / step;
  const unsigned spare = labels * step - prefix.length;
  std::vector<std::string> out;
  for (unsigned n = 0; n < 1U << spare; ++n) {
    IpAddress zone = prefix.address;
    if (spare != 0) {
      const unsigned bit = labels * step;  // the first below the zone's own
      zone.bytes[(bit - 1) / 8] |= static_cast<uint8_t>(n << (bit % 8 == 0 ? 0 : 8 - bit % 8));
    }
    out.push_back(step == 8 ? reverse_v4(zone, labels) : reverse_v6(zone, labels));
  }
  return out;
}

}  // namespace gw::names
