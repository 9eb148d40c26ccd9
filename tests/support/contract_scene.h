// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gatewayd/config/load.h"
#include "gatewayd/plan/plan.h"

/// The gateway of tests/support/reconciler_contract.h and of tests beside it.
namespace gw::test {

/// Edits by hand, by what they do.
struct Edit {
  enum class Kind : uint8_t {
    delete_address,
    remove_peer,
    detach,
    flush_firewall,
    drop_rule,
    set_sysctl,
    delete_route,
    delete_link,
    link_down
  };
  Kind kind = Kind::flush_firewall;
  std::string device = {};
  std::string object = {};  ///< address with length, route, key, sysctl
  std::string value = {};
};

inline constexpr char kContractKey[] = "2Aseg044FtgT0alxI2O86OGDTHJW2Hz3Z8tCsP0WgHg=";
inline constexpr char kContractPublicKey[] = "1LvwwpXhCmDoWq1FvmaaWXobD+8tZvM2ua7bqLCO6zo=";
inline constexpr char kAliceKey[] = "fvWqawMGlHfy3JtDIA2LU3Nc6iiAr1konw9lHnSJG0U=";
inline constexpr char kBobKey[] = "u20brRarrIP6k5UGp4VWD0fanHqIgLXQS+pjD+gYKVQ=";
inline constexpr char kDaveKey[] = "bK/v10e5Wvg+IUqNZ+WljDyNpz8AciP1Ho4jPROuGCs=";
inline constexpr char kCarolKey[] = "ZGURwC+Q+5yJR/lOiqURlZbySIpck9JQzDe3BzV9oCk=";

inline constexpr char kContractYaml[] = R"(
gateway:
  name: contract
  public: {interface: eth0, listen_port: 51999}
vpn:
  interface: gwtest0
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
network: {address_space: [10.1.0.0/16, "fd10::/16"]}
subnets:
  web: {prefixes: [10.1.1.0/24, "fd10:1:1::/64"], interface: eth1, address: [10.1.1.1, "fd10:1:1::1"]}
  far: {prefixes: [10.1.9.0/24], interface: eth1, via: 10.1.1.9}
groups:
  developers: {}
  staff: {}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/443, icmp]}
  - {name: staff-web, action: allow, from: [group:staff], to: [subnet:web], services: [tcp/80]}
sites:
  parents: {public_key: "7K2uCulb6F8elt7enc6V7FtY17zzxcMHPzQjM4/n6WU=", endpoint: "198.51.100.9:51820", prefixes: [192.168.50.0/24], keepalive: 25}
nat: [{from: vpn, out: eth0}]
)";

inline plan::Client contract_client(uint32_t number, const std::string& name, const char* key,
                                    std::vector<std::string> groups) {
  return {.number = number,
          .name = name,
          .wireguard = PublicKey::parse(key).value(),
          .groups = std::move(groups),
          .addresses = {*IpAddress::parse("172.16.201." + std::to_string(3 + number)),
                        *IpAddress::parse("fd6d:706e:6c61::" + std::to_string(3 + number))}};
}

inline plan::Intent contract_intent(std::string yaml = kContractYaml) {
  const auto loaded = config::load({{"gateway.yaml", std::move(yaml)}});
  for (const auto& diagnostic : loaded.diagnostics) ADD_FAILURE() << diagnostic.str();
  plan::Intent intent;
  intent.config = loaded.config;
  intent.public_key = PublicKey::parse(kContractPublicKey).value();
  intent.clients[1] = contract_client(1, "alice", kAliceKey, {"developers"});
  intent.clients[2] = contract_client(2, "bob", kBobKey, {"staff"});
  // A second developer keeps the class of the first in the tables when that one leaves.
  intent.clients[7] = contract_client(7, "dave", kDaveKey, {"developers"});
  return intent;
}

}  // namespace gw::test
