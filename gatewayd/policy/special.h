// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "gatewayd/base/ip.h"

namespace gw::policy {

/// How far a block of addresses reaches.
enum class Reach : uint8_t {
  global,  ///< part of the zone `internet` unless configured
  local,   ///< not globally reachable: `any` and literals match it, `internet` does not
  never,   ///< never forwarded, for `any` neither: only a rule that names a prefix within the block matches
};

struct SpecialBlock {
  Prefix prefix;
  Reach reach = Reach::local;
};

/// The IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, as updated up to RFC 9780), each block at the
/// "Globally Reachable" column's word, 'N/A' and deprecated ones as local; multicast; and what DATAPLANE "Zones" adds.
/// The longest block that contains an address decides; an address in none is global.
std::span<const SpecialBlock> special_blocks();

}  // namespace gw::policy
