// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/rules_world.h"

#include "gatewayd/policy/compile.h"
#include "tests/support/must.h"
#include "tests/support/policy_text.h"

namespace gw::test {
namespace {

const std::map<std::string, Device> kDevices = {
    {"web0", Device::web}, {"data0", Device::data}, {"uplink0", Device::uplink}};

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

config::Config network() {
  config::Config out;
  out.name = "test";
  out.public_side.interface = "uplink0";
  out.vpn.subnets = prefixes({"172.16.201.0/24", "fd6d:706e:6c61::/64"});
  out.address_space = prefixes({"10.1.0.0/16", "fd10:1::/32"});
  out.subnets["web"] = subnet({"10.1.1.0/24", "fd10:1:1::/64"}, "web0");
  out.subnets["data"] = subnet({"10.1.2.0/24"}, "data0");
  out.subnets["far"] = subnet({"10.1.9.0/24"}, "uplink0");
  out.subnets["far"].via = {IpAddress::parse("10.1.3.1").value()};
  out.sites["parents"].prefixes = prefixes({"192.168.50.0/24"});
  out.groups["dev"] = {};
  out.groups["ops"] = {};
  out.groups["friends"].interconnect = true;
  out.nat.push_back({.from = {selector("vpn")}, .out = "uplink0", .origin = {}});
  return out;
}

const std::vector<policy::HostFacts>& hosts() {
  static const auto address = [](const char* text) { return IpAddress::parse(text).value(); };
  static const std::vector<policy::HostFacts> all = {
      {address("172.16.201.1"), "", {}},
      {address("fd6d:706e:6c61::1"), "", {}},
      {address(kGatewayV4), "", {}},
      {address("203.0.113.1"), "", {}},
      {address(kAliceV4), "alice", {"dev", "friends"}},
      {address(kAliceV6), "alice", {"dev", "friends"}},
      {address(kBobV4), "bob", {"ops", "friends"}},
      {address("172.16.201.7"), "carol", {"ops"}},
  };
  return all;
}

}  // namespace

CompiledRules compile_rules(const std::vector<std::string>& rules) {
  config::Config config = network();
  for (const std::string& text : rules) config.rules.push_back(rule("r" + std::to_string(config.rules.size()), text));
  policy::Interner interner;
  const policy::Compiled compiled = must(policy::compile(config, hosts(), interner));
  CompiledRules out{.image = compiled.image, .hosts = {}, .links = {{Device::vpn, {GW_LINK_ID_VPN, GW_LINK_VPN, {}}}}};
  uint32_t client = 0;
  for (const policy::HostFacts& facts : hosts()) {
    const bool gateway = facts.client.empty();
    out.hosts[facts.address] = {compiled.class_of(facts).value(), gateway ? 0U : ++client,
                                gateway ? GW_HOST_GATEWAY : GW_HOST_CLIENT};
  }
  for (const auto& [name, id] : policy::link_ids(config, interner)) {
    if (kDevices.contains(name)) out.links[kDevices.at(name)] = {id, name == "uplink0" ? GW_LINK_PUBLIC : 0U, {}};
  }
  return out;
}

}  // namespace gw::test
