// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gatewayd/base/file.h"
#include "gatewayd/config/load.h"
#include "gatewayd/plan/plan.h"

namespace gw::plan {

inline std::string golden(const std::string& name) {
  return std::string(GW_SOURCE_DIR) + "/tests/unit/plan/golden/" + name;
}

inline PublicKey key_of(uint8_t seed) {
  PublicKey key;
  key.bytes.fill(seed);
  return key;
}

inline Client client(uint32_t number, const std::string& name, std::vector<std::string> groups) {
  const std::string last = std::to_string(number + 3);
  return {.number = number,
          .name = name,
          .wireguard = key_of(static_cast<uint8_t>(number)),
          .groups = std::move(groups),
          .addresses = {*IpAddress::parse("172.16.201." + last)},
          .valid_until_ns = 1'800'000'000'000'000'000};
}

/// The configuration golden/NAME.yaml with two clients, alice among the developers.
inline Intent intent_of(const std::string& name) {
  const auto loaded = config::load({{"gateway.yaml", read_file(golden(name + ".yaml")).value()}});
  for (const auto& diagnostic : loaded.diagnostics) ADD_FAILURE() << diagnostic.str();
  Intent intent;
  intent.config = loaded.config;
  intent.clients = {{1, client(1, "alice", {"developers"})}, {2, client(2, "bob", {})}};
  intent.public_key = key_of(100);
  intent.resolved = {{"home.example", *IpAddress::parse("203.0.113.9")}};
  intent.gateway_addresses = {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("198.51.100.1"),
                              *IpAddress::parse("fe80::1")};
  intent.uplink_mtu = 1500;
  return intent;
}

inline Desired desired_of(const Intent& intent) {
  policy::Interner interner;
  return compile(intent, interner).value();
}

}  // namespace gw::plan
