// SPDX-License-Identifier: Apache-2.0
#include "tests/support/big_policy.h"

#include <random>

#include "tests/support/policy_text.h"

namespace gw::test {

config::Config big_network(size_t groups, size_t subnets) {
  config::Config out;
  out.vpn.subnets = {*Prefix::parse("172.16.0.0/15")};
  for (size_t i = 0; i < groups; ++i) out.groups["g" + std::to_string(i)];
  for (size_t i = 0; i < subnets; ++i) {
    config::Subnet& added = out.subnets["s" + std::to_string(i)];
    added.interface = "eth" + std::to_string(i % 8);
    added.prefixes = {*Prefix::parse("10." + std::to_string(i) + ".0.0/16")};
  }
  return out;
}

std::vector<policy::HostFacts> big_clients(const config::Config& config, size_t count, size_t groups_each,
                                           uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<policy::HostFacts> out;
  for (size_t i = 0; i < count; ++i) {
    const IpAddress address = config.vpn.subnets.front().nth(i + 4).value();
    out.push_back({.address = address, .client = "c" + std::to_string(i), .groups = {}});
    for (size_t g = 0; g < groups_each; ++g) {
      out.back().groups.push_back("g" + std::to_string(random() % config.groups.size()));
    }
  }
  return out;
}

void add_group_rules(config::Config& config, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](size_t n) { return std::to_string(random() % n); };
  for (size_t i = 0; i < count; ++i) {
    const std::string from = "group:g" + draw(config.groups.size());
    const std::string to = "subnet:s" + draw(config.subnets.size());
    config.rules.push_back(
        rule("r" + std::to_string(config.rules.size()), "allow " + from + " -> " + to + " tcp/" + draw(65536)));
  }
}

}  // namespace gw::test
