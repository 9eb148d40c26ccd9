// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "bpf/abi.h"
#include "gatewayd/base/key.h"
#include "tests/support/packet.h"

namespace gw::test {

/// What the guard knows, without a limit of initiations.
struct GuardScene {
  uint16_t port = 51820;
  PublicKey public_key;
  std::set<IpAddress> ours;           ///< the gateway's addresses
  std::map<Prefix, uint64_t> blocks;  ///< until when
  uint64_t wall_ns = 0;
};

/// The guard, said plainly and slowly: what becomes of an Ethernet frame. `assembled`: it is the stack's (TC), which
/// knows packets longer than their own length field; of `segment` bytes each when that is not zero.
gw_reason guard_reference(const Bytes& frame, const GuardScene& scene, bool assembled, size_t segment = 0);

}  // namespace gw::test
