// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "gatewayd/base/result.h"
#include "netlink/link.h"
#include "netlink/socket.h"

namespace gw::nl {

/// What an Ethernet device can do with XDP: as it says itself (netdev family of generic netlink, since Linux 6.3,
/// Documentation/netlink/specs/netdev.yaml), before that by the drivers that were tried.
struct Card {
  bool native = false;    ///< runs a program in the driver
  bool transmit = false;  ///< takes frames that a program on another card redirects to it
  bool defers_checksums =
      false;  ///< frames arrive with checksums that are still to be computed (veth): XDP redirects lose that
  bool strips_vlan = false;  ///< takes VLAN tags off the frame before a program sees it (ethtool rxvlan)
  bool operator==(const Card&) const = default;
};

/// By index, of those of `links` that are Ethernet. `generic` is a socket of NETLINK_GENERIC. A device that goes
/// meanwhile is left out.
Result<std::map<uint32_t, Card>> list_cards(Socket& generic, const std::vector<Link>& links);

}  // namespace gw::nl
