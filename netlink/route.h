// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"
#include "netlink/socket.h"

namespace gw::nl {

/// A route with one next hop in one table, or one that refuses. Kernel: include/uapi/linux/rtnetlink.h.
struct Route {
  Prefix dst;
  std::optional<IpAddress> via;
  uint32_t oif = 0;
  uint32_t table = 254;  ///< RT_TABLE_MAIN
  uint8_t protocol = 0;  ///< rtm_protocol: ours is kRouteProtocol
  uint32_t metric = 0;  ///< as asked for; the kernel reports 1024 for an IPv6 route with 0, and list_routes undoes that
  bool unreachable = false;  ///< packets are refused; neither via nor oif then
  bool operator==(const Route&) const = default;
};

inline constexpr uint8_t kRouteProtocol = 0x67;    ///< 'g'; free in rt_protos of iproute2
inline constexpr uint8_t kAddressProtocol = 0x67;  ///< IFA_PROTO

/// Unicast routes of all tables, of that protocol only; 0: of every protocol. A multipath route is reported once for
/// each of its next hops. Unreachable ones are told only when a protocol is asked for; blackhole, local, multicast and
/// cached routes never.
Result<std::vector<Route>> list_routes(Socket& socket, uint8_t protocol);
/// EEXIST when another has dst, table and metric; ENETUNREACH when `via` is not on a connected network.
Result<void> add_route(Socket& socket, const Route& route);
/// ESRCH when there is none with this dst, next hop, device, table, protocol and metric. The protocol may not be 0,
/// which would match a route of anyone (EINVAL).
Result<void> delete_route(Socket& socket, const Route& route);

}  // namespace gw::nl
