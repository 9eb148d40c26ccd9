// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/pool.h"

#include <algorithm>

#include "gatewayd/registry/registry.h"

namespace gw::registry {

Value value_of(const IpAddress& address) {
  Value out = 0;
  for (const uint8_t byte : address.mapped()) out = out << 8U | byte;
  return out;
}

IpAddress address_of(Value value) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = bytes.size(); i-- > 0; value >>= 8U) bytes[i] = static_cast<uint8_t>(value);
  return IpAddress::from_mapped(bytes);
}

uint64_t Range::size() const {
  return static_cast<uint64_t>(std::min(last - first, static_cast<Value>(UINT64_MAX - 1))) + 1;
}

std::optional<Range> client_range(const Prefix& pool) {
  const auto host_bits = static_cast<unsigned>(pool.address.bits() - pool.length);
  const Value network = value_of(pool.address);
  const Value span = host_bits >= 128 ? ~Value{0} : (Value{1} << host_bits) - 1;
  const Value broadcast = pool.address.family == Family::v4 ? 1 : 0;
  if (span < kFirstClientAddress + broadcast) return std::nullopt;
  return Range{network + kFirstClientAddress, network + span - broadcast};
}

}  // namespace gw::registry
