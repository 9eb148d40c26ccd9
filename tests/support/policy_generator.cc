// SPDX-License-Identifier: Apache-2.0
#include "tests/support/policy_generator.h"

#include <algorithm>
#include <array>

namespace gw::test {
namespace {

using config::Selector;
using config::Service;

size_t below(Random& random, size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }
bool chance(Random& random, unsigned percent) { return below(random, 100) < percent; }

template <class Container>
const auto& pick(Random& random, const Container& from) {
  return *std::next(std::begin(from), static_cast<ptrdiff_t>(below(random, std::size(from))));
}

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Prefix> out;
  for (const char* text : texts) out.push_back(prefix(text));
  return out;
}

constexpr std::array kGroups = {"dev", "ops", "sales", "audit"};
constexpr std::array kClients = {"alice", "bob", "carol", "dave", "erin", "frank"};
constexpr std::array kPorts = {22, 53, 80, 443, 444, 1000, 2000, 3389, 65535};
constexpr std::array kProtocols = {2, 47, 50, 51, 89, 132};
constexpr std::array kIcmpKeys = {0x0000, 0x0300, 0x0303, 0x0800, 0x0b00, 0x8000, 0x8100};

/// Blocks that rules and packets are drawn from: inside, around, equal to and apart from what is configured.
const std::vector<Prefix>& blocks() {
  static const std::vector<Prefix> all = prefixes({"10.1.1.0/24",
                                                   "10.1.1.128/25",
                                                   "10.1.1.7/32",
                                                   "10.1.2.0/24",
                                                   "10.1.0.0/16",
                                                   "10.1.0.0/20",
                                                   "10.0.0.0/8",
                                                   "0.0.0.0/0",
                                                   "172.16.201.0/24",
                                                   "172.16.201.4/30",
                                                   "172.16.201.5/32",
                                                   "172.16.0.0/12",
                                                   "192.168.50.0/24",
                                                   "192.168.50.64/26",
                                                   "192.168.0.0/16",
                                                   "8.8.8.0/24",
                                                   "8.8.8.8/32",
                                                   "8.0.0.0/7",
                                                   "20.30.40.0/24",
                                                   "20.30.40.16/28",
                                                   "169.254.0.0/16",
                                                   "169.254.169.254/32",
                                                   "169.254.0.0/17",
                                                   "168.63.129.16/32",
                                                   "168.63.0.0/16",
                                                   "127.0.0.0/8",
                                                   "224.0.0.251/32",
                                                   "240.0.0.0/4",
                                                   "255.255.255.255/32",
                                                   "203.0.113.0/24",
                                                   "192.0.0.0/24",
                                                   "192.0.0.9/32",
                                                   "100.64.0.0/10",
                                                   "::/0",
                                                   "fd6d:706e:6c61::/64",
                                                   "fd6d:706e:6c61::8/125",
                                                   "fd6d:706e:6c61::5/128",
                                                   "fd00:1:1::/64",
                                                   "fd00:1:1::80/121",
                                                   "fd00:1:1::7/128",
                                                   "fd00:1::/32",
                                                   "fc00::/7",
                                                   "fd50::/64",
                                                   "fd50::/96",
                                                   "2a01:111::/32",
                                                   "2a01:111:2222::/48",
                                                   "2001:db8::/32",
                                                   "2001::/23",
                                                   "2001:20::/28",
                                                   "fe80::/10",
                                                   "fe80::1/128",
                                                   "::1/128",
                                                   "ff02::fb/128",
                                                   "2000::/3",
                                                   "64:ff9b::/96"});
  return all;
}

config::Subnet subnet(std::initializer_list<const char*> blocks, const char* interface) {
  config::Subnet out;
  out.prefixes = prefixes(blocks);
  out.interface = interface;
  return out;
}

void add_networks(Random& random, config::Config& config) {
  config.name = "test";
  config.public_side = {.interface = "eth0", .endpoint = {}, .listen_port = 51820, .allow = {}, .enroll_port = {}};
  config.vpn.subnets = prefixes({"172.16.201.0/24", "fd6d:706e:6c61::/64"});
  config.address_space = prefixes({"10.1.0.0/16", "fd00:1::/32"});
  if (chance(random, 30)) config.address_space.push_back(prefix("8.0.0.0/7"));
  config.subnets["web"] = subnet({"10.1.1.0/24", "fd00:1:1::/64"}, "eth1");
  config.subnets["data"] = subnet({"10.1.2.0/24"}, "eth1");
  config.subnets["data"].vlan = 20;
  config.subnets["far"] = subnet({"10.1.9.0/24", "2a01:111:2222::/48"}, "eth0");
  config.subnets["far"].via = {*IpAddress::parse("10.1.3.1"), *IpAddress::parse("fd00:1:3::1")};
  if (chance(random, 70)) config.subnets["open"] = subnet({"20.30.40.0/24"}, "eth2");
  if (chance(random, 20)) config.subnets["wide"] = subnet({"168.63.0.0/16"}, "eth2");
  if (chance(random, 70)) config.sites["parents"].prefixes = prefixes({"192.168.50.0/24", "fd50::/64"});
  if (chance(random, 30)) config.sites["lab"].prefixes = prefixes({"8.8.4.0/22", "100.64.8.0/24"});
  for (const char* group : kGroups) config.groups[group].interconnect = chance(random, 30);
}

void add_hosts(Random& random, PolicyCase& policy) {
  for (const char* own : {"172.16.201.1", "fd6d:706e:6c61::1", "10.1.1.1", "fd00:1:1::1", "20.1.1.1", "203.0.113.9"}) {
    if (chance(random, 80)) policy.hosts.push_back({.address = *IpAddress::parse(own), .client = {}, .groups = {}});
  }
  uint64_t number = 4;
  for (const char* client : kClients) {
    std::vector<std::string> groups;
    for (const char* group : kGroups) {
      if (chance(random, 40)) groups.emplace_back(group);
    }
    for (const Prefix& pool : policy.config.vpn.subnets) {
      policy.hosts.push_back({.address = pool.nth(number).value(), .client = client, .groups = groups});
    }
    ++number;
  }
}

Selector random_selector(Random& random, const config::Config& config) {
  using enum Selector::Kind;
  constexpr std::array kinds = {any,   vpn,   internet, gateway, subnet, subnet, group,
                                group, group, client,   site,    prefix, prefix, prefix};
  Selector out{.kind = pick(random, kinds), .name = {}, .prefix = {}};
  if (out.kind == site && config.sites.empty()) out.kind = internet;
  if (out.kind == subnet) out.name = pick(random, config.subnets).first;
  if (out.kind == site) out.name = pick(random, config.sites).first;
  if (out.kind == group) out.name = pick(random, kGroups);
  if (out.kind == client) out.name = chance(random, 10) ? "nobody" : pick(random, kClients);
  if (out.kind == prefix) out.prefix = pick(random, blocks());
  return out;
}

uint16_t random_key(Random& random, Service::Kind kind) {
  if (kind == Service::Kind::icmp) return static_cast<uint16_t>(pick(random, kIcmpKeys));
  if (kind == Service::Kind::protocol) return static_cast<uint16_t>(pick(random, kProtocols));
  return chance(random, 10) ? static_cast<uint16_t>(random()) : static_cast<uint16_t>(pick(random, kPorts));
}

Service random_service(Random& random) {
  using enum Service::Kind;
  constexpr std::array kinds = {any, tcp, tcp, tcp, udp, udp, icmp, protocol};
  Service out{.kind = pick(random, kinds)};
  if (out.kind == any || chance(random, 10)) return out;
  out.first = out.last = random_key(random, out.kind);
  if (out.kind == icmp && chance(random, 50)) out.last = out.first | 0xffU;
  if ((out.kind == tcp || out.kind == udp) && chance(random, 40)) {
    out.last = random_key(random, out.kind);
    if (out.last < out.first) std::swap(out.first, out.last);
  }
  return out;
}

config::Rule random_rule(Random& random, const config::Config& config, size_t number) {
  using enum config::Action;
  constexpr std::array actions = {allow, allow, allow, deny, deny, reject};
  config::Rule rule;
  rule.name = "r" + std::to_string(number);
  rule.action = pick(random, actions);
  rule.log = chance(random, 20);
  for (size_t i = 0, n = 1 + below(random, 3); i < n; ++i) rule.from.push_back(random_selector(random, config));
  for (size_t i = 0, n = 1 + below(random, 3); i < n; ++i) rule.to.push_back(random_selector(random, config));
  for (size_t i = 0, n = 1 + below(random, 3); i < n; ++i) rule.services.push_back(random_service(random));
  return rule;
}

/// One of the block's first or last addresses, one just outside, or any within.
IpAddress near(Random& random, const Prefix& block) {
  IpAddress out = block.address;
  const int host_bits = out.bits() - block.length;
  const uint8_t fill = chance(random, 50) ? 0xff : 0x00;
  const bool scatter = chance(random, 40);
  for (int bit = 0; bit < host_bits; ++bit) {
    const auto at = static_cast<size_t>(out.bits() - 1 - bit);
    const bool set = scatter ? chance(random, 50) : fill != 0;
    if (set) out.bytes[at / 8] |= static_cast<uint8_t>(0x80U >> (at % 8));
  }
  const auto last = static_cast<size_t>(out.bits() / 8 - 1);
  if (chance(random, 30)) out.bytes[last] ^= static_cast<uint8_t>(1U << below(random, 8));
  return out;
}

IpAddress of_family(Random& random, const PolicyCase& policy, const std::vector<Prefix>& among, Family family) {
  std::vector<Prefix> fitting;
  std::ranges::copy_if(among, std::back_inserter(fitting), [&](const Prefix& p) { return p.address.family == family; });
  return fitting.empty() ? random_address(random, policy, family) : near(random, pick(random, fitting));
}

/// An address that the selector matches, mostly: at the edge of a prefix it may lie just outside.
IpAddress address_in(Random& random, const PolicyCase& policy, const Selector& selector, Family family) {
  static const std::vector<Prefix> kPublic = prefixes({"8.8.8.0/24", "20.1.0.0/16", "2a01:111::/32", "64:ff9b::/96"});
  const auto host = [&](auto&& wanted) {
    std::vector<Prefix> found;
    for (const policy::HostFacts& facts : policy.hosts) {
      if (wanted(facts)) found.push_back(Prefix::host(facts.address));
    }
    return found;
  };
  switch (selector.kind) {
    case Selector::Kind::any:
      return random_address(random, policy, family);
    case Selector::Kind::internet:
      return of_family(random, policy, kPublic, family);
    case Selector::Kind::subnet:
      return of_family(random, policy, policy.config.subnets.at(selector.name).prefixes, family);
    case Selector::Kind::site:
      return of_family(random, policy, policy.config.sites.at(selector.name).prefixes, family);
    case Selector::Kind::prefix:
      return of_family(random, policy, {selector.prefix}, family);
    case Selector::Kind::gateway:
      return of_family(random, policy, host([](const auto& facts) { return facts.client.empty(); }), family);
    case Selector::Kind::vpn:
      return of_family(random, policy, host([](const auto& facts) { return !facts.client.empty(); }), family);
    case Selector::Kind::client:
      return of_family(random, policy, host([&](const auto& facts) { return facts.client == selector.name; }), family);
    case Selector::Kind::group:
      return of_family(random, policy,
                       host([&](const auto& facts) { return std::ranges::count(facts.groups, selector.name) != 0; }),
                       family);
  }
  return random_address(random, policy, family);
}

std::string join(const auto& items, auto&& text) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + text(item);
  return out;
}

constexpr std::array kSelectorWords = {
    "any", "vpn", "internet", "gateway", "subnet:", "group:", "client:", "site:", ""};
constexpr std::array kServiceWords = {"any", "tcp", "udp", "icmp", "proto"};
constexpr std::array kActionWords = {"deny", "allow", "reject"};

std::string text(const Selector& selector) {
  const std::string word = kSelectorWords.at(static_cast<size_t>(selector.kind));
  return selector.kind == Selector::Kind::prefix ? selector.prefix.str() : word + selector.name;
}

std::string text(const Service& service) {
  return std::string(kServiceWords.at(static_cast<size_t>(service.kind))) + "/" + std::to_string(service.first) + "-" +
         std::to_string(service.last);
}

}  // namespace

PolicyCase random_policy(Random& random) {
  PolicyCase out;
  add_networks(random, out.config);
  add_hosts(random, out);
  // Beyond 64 rules a set of them takes more than one word.
  const size_t rules = chance(random, 10) ? 60 + below(random, 140) : below(random, 14);
  for (size_t i = 0; i < rules; ++i) out.config.rules.push_back(random_rule(random, out.config, i));
  for (size_t i = 0, n = below(random, 3); i < n; ++i) {
    const Selector vpn{.kind = Selector::Kind::vpn, .name = {}, .prefix = {}};
    const Selector from = chance(random, 50) ? vpn : random_selector(random, out.config);
    out.config.nat.push_back({.from = {from}, .out = "eth0", .origin = {}});
  }
  return out;
}

IpAddress random_address(Random& random, const PolicyCase& policy, Family family) {
  for (;;) {
    const IpAddress out =
        chance(random, 50) ? pick(random, policy.hosts).address : near(random, pick(random, blocks()));
    if (out.family == family) return out;
  }
}

policy::Packet random_packet(Random& random, const PolicyCase& policy) {
  using enum Service::Kind;
  constexpr std::array kinds = {tcp, tcp, udp, icmp, protocol};
  const Family family = chance(random, 60) ? Family::v4 : Family::v6;
  policy::Packet out;
  out.kind = pick(random, kinds);
  out.key = random_key(random, out.kind);
  if (!policy.config.rules.empty() && chance(random, 60)) {
    const config::Rule& rule = pick(random, policy.config.rules);
    const Service& service = pick(random, rule.services);
    out.source = address_in(random, policy, pick(random, rule.from), family);
    out.destination = address_in(random, policy, pick(random, rule.to), family);
    if (service.kind != any) out.kind = service.kind;
    if (service.kind != any && service.first != 0) out.key = chance(random, 50) ? service.first : service.last;
  } else {
    out.source = random_address(random, policy, family);
    out.destination = random_address(random, policy, family);
  }
  if ((out.kind == tcp || out.kind == udp) && chance(random, 30))
    out.key = static_cast<uint16_t>(out.key + below(random, 3) - 1);
  return out;
}

std::string PolicyCase::str() const {
  std::string out;
  for (const config::Rule& rule : config.rules) {
    const auto show = [](const auto& item) { return text(item); };
    out += rule.name + ": " + kActionWords.at(static_cast<size_t>(rule.action)) + " " + join(rule.from, show) + " -> " +
           join(rule.to, show) + " " + join(rule.services, show) + (rule.log ? " log\n" : "\n");
  }
  for (const auto& [name, group] : config.groups) out += group.interconnect ? "interconnect " + name + "\n" : "";
  for (const config::Nat& nat : config.nat) out += "nat " + text(nat.from.front()) + "\n";
  for (const policy::HostFacts& host : hosts) {
    out += host.address.str() + " is " + (host.client.empty() ? "the gateway" : host.client) + " (" +
           join(host.groups, [](const std::string& group) { return group; }) + ")\n";
  }
  return out;
}

std::string describe(const policy::Packet& packet) {
  return packet.source.str() + " -> " + packet.destination.str() + " " +
         kServiceWords.at(static_cast<size_t>(packet.kind)) + "/" + std::to_string(packet.key);
}

std::string describe(const policy::Verdict& verdict) {
  return std::string(kActionWords.at(static_cast<size_t>(verdict.action))) + " by " +
         (verdict.rule.empty() ? "the default" : verdict.rule) + (verdict.nat ? " nat" : "") +
         (verdict.log ? " log" : "");
}

}  // namespace gw::test
