// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"
#include "netlink/socket.h"

namespace gw::nl {

/// An address on a device. `address` keeps its host bits, unlike Prefix.
struct Address {
  uint32_t ifindex = 0;
  IpAddress address;
  uint8_t length = 0;
  uint8_t protocol = 0;  ///< IFA_PROTO (Linux 5.18), 0 where unknown: how we mark what is ours
  bool operator==(const Address&) const = default;
};

Result<std::vector<Address>> list_addresses(Socket& socket);
Result<void> add_address(Socket& socket, const Address& address);     ///< IPv6 without DAD; EEXIST when there
Result<void> delete_address(Socket& socket, const Address& address);  ///< EADDRNOTAVAIL when not

}  // namespace gw::nl
