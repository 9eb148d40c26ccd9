// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: the addresses of a pool that clients can take.

#include <optional>

#include "gatewayd/base/ip.h"
#include "gatewayd/registry/runs.h"

namespace gw::registry {

struct Range {
  Value first;
  Value last;
  [[nodiscard]] uint64_t size() const;  ///< UINT64_MAX when 2^64 or more
};

/// From kFirstClientAddress to the last address, less an IPv4 broadcast (RFC 919 §7). nullopt: the pool is too small
/// for any.
std::optional<Range> client_range(const Prefix& pool);

Value value_of(const IpAddress& address);
IpAddress address_of(Value value);

}  // namespace gw::registry
