// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"
#include "netlink/socket.h"

namespace gw::nl {

/// An address on a device. `address` keeps its host bits, unlike Prefix.
///
/// Linux before 5.18 ignores `protocol` in add_address without a word and reports none: list_addresses then says 0, and
/// the owner has to tell his addresses by the device being his.
struct Address {
  uint32_t ifindex = 0;
  IpAddress address;
  uint8_t length = 0;
  uint8_t protocol = 0;  ///< IFA_PROTO (Linux 5.18), 0 where unknown: how we mark what is ours
  bool operator==(const Address&) const = default;
};

/// Of every device, both families. Of a point-to-point address this is the local end.
Result<std::vector<Address>> list_addresses(Socket& socket);
/// IPv6 without duplicate address detection, so that it is usable at once. EEXIST when the device has it.
Result<void> add_address(Socket& socket, const Address& address);
/// EADDRNOTAVAIL when the device has not exactly this address and length. Deleting the first IPv4 address of a block
/// takes the device's others of that block along unless net.ipv4.conf.*.promote_secondaries is set (Linux's own rule).
Result<void> delete_address(Socket& socket, const Address& address);

}  // namespace gw::nl
