// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/compile.h"
#include "gatewayd/policy/reference.h"

/// Random policies and packets, for every test that holds something to the reference evaluator. The same seed gives the
/// same sequence. Biased to overlap: few groups, nested literals, shared ports, both families, and addresses at the
/// edges of blocks.
namespace gw::test {

using Random = std::mt19937_64;

/// A configuration as `config::load` would give it, and the addresses that are known exactly.
struct PolicyCase {
  config::Config config;
  std::vector<policy::HostFacts> hosts;

  /// The rules, one a line, and the hosts: for failure messages.
  [[nodiscard]] std::string str() const;
};

/// One network card with a routed subnet, two devices, a VLAN and a public subnet; a site; VPN prefixes of both
/// families.
PolicyCase random_policy(Random& random);

/// An address of the case: a host, within or beside a prefix that it mentions, or in a special block.
IpAddress random_address(Random& random, const PolicyCase& policy, Family family);

/// Source and destination of one family; kind and key near the edges of what the rules admit.
policy::Packet random_packet(Random& random, const PolicyCase& policy);

std::string describe(const policy::Packet& packet);
std::string describe(const policy::Verdict& verdict);

}  // namespace gw::test
