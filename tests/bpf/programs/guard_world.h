// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "tests/bpf/programs/world.h"
#include "tests/support/guard_reference.h"
#include "tests/support/wireguard_message.h"

namespace gw::test {

/// The two entries of the guard.
enum class Guarded : uint8_t { xdp, tc };

/// The standard world with a guard that knows a key, run packet by packet through either entry.
class GuardWorld : public testing::Test {
 protected:
  GuardWorld();
  ~GuardWorld() override;

  /// Why the packet is dropped; GW_REASON_NONE: it goes on. The counter has to say the same.
  gw_reason run(const Bytes& frame, Guarded entry, uint32_t segment = 0);
  /// The same of both entries, which have to agree.
  gw_reason run(const Bytes& frame);
  void put_guard(uint32_t initiations);

  LoadedPolicy* policy = LoadedPolicy::standard();
  PublicKey key = some_key(1);  ///< the gateway's own
  UniqueFd programs_[2];
};

/// A message in a datagram to the gateway.
Packet to_gateway(const Bytes& message, const char* from = "198.51.100.7");
Packet to_gateway_v6(const Bytes& message, const char* from = "2001:db8::7");

inline constexpr const char* kPublicV4 = "203.0.113.1";
inline constexpr const char* kPublicV6 = "fd6d:706e:6c61::1";

}  // namespace gw::test
