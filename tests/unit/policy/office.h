// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/policy/compile.h"
#include "gatewayd/policy/lookup.h"
#include "gatewayd/policy/reference.h"

namespace gw::test {

/// A small office that tests write rules for:
///   gateway  172.16.201.1, fd6d::1, 10.1.1.1, 20.1.1.1     clients  172.16.201.0/24, fd6d::/64 (all numbered alike)
///   alice .5 dev · bob .6 dev, ops · carol .7 no group
///   web  10.1.1.0/24, fd01:1::/64 on eth1 · data 10.1.2.0/24 on eth2 · open 20.30.40.0/24 on eth2
///   site parents  192.168.50.0/24 · address space 10.1.0.0/16
/// Every question is put to the compiled tables and to the reference, and they have to agree.
class Office {
 public:
  Office();

  /// Rules are named r1, r2, …
  Office& rules(std::initializer_list<std::string_view> texts);
  Office& interconnect(const std::string& group);
  Office& nat(std::string_view from);

  /// "allow r1", "deny" (by default), "reject r2 log", "allow r1 nat", for a packet of policy_text.h.
  [[nodiscard]] std::string ask(std::string_view packet) const;
  /// The tables; a failure fails the test.
  [[nodiscard]] policy::Compiled compile() const;
  [[nodiscard]] policy::Compiled compile(policy::Interner& interner) const;

  config::Config config;
  std::vector<policy::HostFacts> hosts;
};

/// Classes of all hosts, as the loader would install them.
std::map<IpAddress, uint32_t> host_classes(const policy::Compiled& compiled,
                                           const std::vector<policy::HostFacts>& hosts);

/// What the tables say of a packet, in the reference's words.
policy::Verdict look_up(const policy::Compiled& compiled, const std::map<IpAddress, uint32_t>& hosts,
                        const policy::Interner& interner, const policy::Packet& packet);

}  // namespace gw::test
