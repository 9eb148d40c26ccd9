// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/policy/office.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "tests/support/policy_generator.h"
#include "tests/support/policy_text.h"

namespace gw::test {
namespace {

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Prefix> out;
  for (const char* text : texts) out.push_back(Prefix::parse(text).value());
  return out;
}

config::Subnet subnet(std::initializer_list<const char*> blocks, const char* interface) {
  config::Subnet out;
  out.prefixes = prefixes(blocks);
  out.interface = interface;
  return out;
}

gw_kind kind_of(config::Service::Kind kind) {
  switch (kind) {
    case config::Service::Kind::tcp:
      return GW_KIND_TCP;
    case config::Service::Kind::udp:
      return GW_KIND_UDP;
    case config::Service::Kind::icmp:
      return GW_KIND_ICMP;
    default:
      return GW_KIND_OTHER;
  }
}

std::string in_words(const policy::Verdict& verdict) {
  constexpr std::array kActions = {"deny", "allow", "reject"};
  return std::string(kActions.at(static_cast<size_t>(verdict.action))) +
         (verdict.rule.empty() ? "" : " " + verdict.rule) + (verdict.nat ? " nat" : "") + (verdict.log ? " log" : "");
}

}  // namespace

Office::Office() {
  config.vpn.subnets = prefixes({"172.16.201.0/24", "fd6d::/64"});
  config.address_space = prefixes({"10.1.0.0/16"});
  config.subnets["web"] = subnet({"10.1.1.0/24", "fd01:1::/64"}, "eth1");
  config.subnets["data"] = subnet({"10.1.2.0/24"}, "eth2");
  config.subnets["open"] = subnet({"20.30.40.0/24"}, "eth2");
  config.sites["parents"].prefixes = prefixes({"192.168.50.0/24"});
  config.groups = {{"dev", {}}, {"ops", {}}};
  const auto add = [&](const char* address, const char* client, std::vector<std::string> groups) {
    hosts.push_back({.address = IpAddress::parse(address).value(), .client = client, .groups = std::move(groups)});
  };
  for (const char* own : {"172.16.201.1", "fd6d::1", "10.1.1.1", "20.1.1.1"}) add(own, "", {});
  for (const char* prefix : {"172.16.201.", "fd6d::"}) {
    add((prefix + std::string("5")).c_str(), "alice", {"dev"});
    add((prefix + std::string("6")).c_str(), "bob", {"dev", "ops"});
    add((prefix + std::string("7")).c_str(), "carol", {});
  }
}

Office& Office::rules(std::initializer_list<std::string_view> texts) {
  config.rules.clear();
  for (const std::string_view text : texts) {
    config.rules.push_back(rule("r" + std::to_string(config.rules.size() + 1), text));
  }
  return *this;
}

Office& Office::interconnect(const std::string& group) {
  config.groups.at(group).interconnect = true;
  return *this;
}

Office& Office::nat(std::string_view from) {
  config.nat.push_back({.from = {selector(from)}, .out = "eth0", .origin = {}});
  return *this;
}

policy::Compiled Office::compile() const {
  policy::Interner interner;
  return compile(interner);
}

policy::Compiled Office::compile(policy::Interner& interner) const {
  auto compiled = policy::compile(config, hosts, interner);
  if (!compiled) throw std::runtime_error(compiled.error().message());
  return *std::move(compiled);
}

std::string Office::ask(std::string_view text) const {
  policy::Interner interner;
  const policy::Compiled compiled = compile(interner);
  const policy::Packet asked = packet(text);
  const std::string tables = in_words(look_up(compiled, host_classes(compiled, hosts), interner, asked));
  EXPECT_EQ(tables, in_words(policy::evaluate(config, hosts, asked))) << "compiled and reference differ on " << text;
  return tables;
}

std::map<IpAddress, uint32_t> host_classes(const policy::Compiled& compiled,
                                           const std::vector<policy::HostFacts>& hosts) {
  std::map<IpAddress, uint32_t> out;
  for (const policy::HostFacts& host : hosts) out[host.address] = compiled.class_of(host).value();
  return out;
}

policy::Verdict look_up(const policy::Compiled& compiled, const std::map<IpAddress, uint32_t>& hosts,
                        const policy::Interner& interner, const policy::Packet& packet) {
  const policy::Place source = policy::classify(compiled.image, hosts, packet.source);
  const policy::Place destination = policy::classify(compiled.image, hosts, packet.destination);
  const uint32_t ref =
      policy::decide(compiled.image, source.class_id, destination.class_id, kind_of(packet.kind), packet.key);
  policy::Verdict out;
  out.action = static_cast<config::Action>(ref >> GW_REF_ACTION_SHIFT & 3U);
  out.rule = interner.rule_name(ref & GW_REF_RULE_MASK).value_or("");
  out.log = (ref & GW_REF_LOG) != 0;
  out.nat = out.action == config::Action::allow && policy::masquerades(compiled.image, source, destination);
  return out;
}

}  // namespace gw::test
