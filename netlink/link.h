// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/result.h"
#include "netlink/socket.h"

namespace gw::nl {

/// A network device. Kernel: include/uapi/linux/if_link.h.
struct Link {
  uint32_t index = 0;
  std::string name;
  std::string kind;   ///< "wireguard", "vlan", "tun", "veth"; empty for hardware
  std::string alias;  ///< IFLA_IFALIAS: how we mark what is ours
  uint32_t mtu = 0;
  bool up = false;       ///< IFF_UP (wanted)
  bool carrier = false;  ///< IFF_LOWER_UP
  uint32_t parent = 0;   ///< IFLA_LINK; 0 none, or in another network namespace
  std::optional<uint16_t> vlan;
  std::optional<std::array<uint8_t, 6>> mac;  ///< of Ethernet devices
  bool operator==(const Link&) const = default;
};

/// True for what the kernel takes as a device name: 1 to 15 bytes, no '/', ':', '%', white space, not "." or "..".
[[nodiscard]] bool is_link_name(const std::string& name);

Result<std::vector<Link>> list_links(Socket& socket);
Result<Link> find_link(Socket& socket, const std::string& name);  ///< ENODEV when there is none
/// EEXIST when the name is taken, EOPNOTSUPP when the kernel has no WireGuard, EINVAL for an impossible name.
Result<void> add_wireguard_link(Socket& socket, const std::string& name);
/// As above; also EEXIST when the parent has that VLAN already, ENODEV without the parent, ERANGE above 4094.
Result<void> add_vlan_link(Socket& socket, const std::string& name, uint32_t parent, uint16_t vlan);
Result<void> set_link_alias(Socket& socket, uint32_t index,
                            const std::string& alias);  ///< empty: none; at most 255 bytes
Result<void> set_link_mtu(Socket& socket, uint32_t index, uint32_t mtu);
Result<void> set_link_up(Socket& socket, uint32_t index, bool up);
Result<void> delete_link(Socket& socket, uint32_t index);

}  // namespace gw::nl
