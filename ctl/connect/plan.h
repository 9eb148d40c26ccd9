// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ctl/connect/network.h"
#include "netlink/route.h"
#include "netlink/rule.h"

/// What joined networks mean for this machine's kernel. Pure.
namespace gw::connect {

/// Routes and rules of gwconnect carry this protocol number, so that they are told from everyone else's (and from
/// gatewayd's, which may run on the same machine); free in rt_protos of iproute2.
inline constexpr uint8_t kProtocol = 0x68;
inline constexpr uint16_t kKeepalive = 25;  ///< seconds; below the 30 s in which the least patient NATs forget
/// Routing table, and mark of the packets that carry the tunnel, of slot 0; the next slots have the next numbers.
inline constexpr uint32_t kFirstTable = 26480;

/// What is to be in the kernel for one network.
struct Wanted {
  std::string id;
  std::string interface;
  uint32_t mtu = 0;
  std::vector<InterfaceAddress> addresses;
  std::vector<Prefix> allowed_ips;  ///< of the gateway as a WireGuard peer
  std::vector<nl::Route> routes;    ///< `oif` is filled in by who knows the device; 0 stays for those that refuse
  std::vector<nl::Rule> rules;
  uint32_t mark = 0;  ///< 0: none
};

/// A block of addresses that this machine is in without us, and the device.
struct LocalBlock {
  Prefix prefix;
  std::string device;
};

struct Plan {
  Wanted wanted;
  /// What cannot be had, a sentence each that names both sides.
  std::vector<std::string> problems;
};

/// A plan for every network with a profile. A network's prefix that overlaps one of a network with a lower slot, or
/// lies in the block of a local device, is not routed into the tunnel and is a problem; so the network that was joined
/// first, and the local net, stay as they are. Default routes overlap default routes only.
///
/// All traffic (a prefix of length 0), or a prefix with the gateway's own endpoint in it, or any where there is a
/// proxy, goes by a table of its own, as with wg-quick(8): what does not carry the tunnel's mark looks there, but
/// first, for anything but a default route, in table main. With `fail_closed` that table also refuses everything, by a
/// route that does not hang on the device.
std::vector<Plan> make_plans(const std::vector<Network>& networks, const std::vector<LocalBlock>& local);

/// The mark that connections to a network's own gateway need to go past its tunnel; 0: none.
uint32_t mark_of(const Network& network);

/// The lowest slot that no network has.
uint32_t free_slot(const std::vector<Network>& networks);

}  // namespace gw::connect
