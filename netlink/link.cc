// SPDX-License-Identifier: Apache-2.0
#include "netlink/link.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "netlink/message.h"

namespace gw::nl {
namespace {

constexpr uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;
constexpr size_t kMaxAlias = IFALIASZ - 1;

std::optional<Link> parse(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWLINK || nlmsg_datalen(message) < static_cast<int>(sizeof(ifinfomsg))) {
    return std::nullopt;
  }
  ifinfomsg header{};
  std::memcpy(&header, nlmsg_data(message), sizeof header);
  const Attributes attributes(message, sizeof header);
  const Attributes info = attributes.nested(IFLA_LINKINFO);
  Link link;
  link.index = static_cast<uint32_t>(header.ifi_index);
  link.name = attributes.text(IFLA_IFNAME);
  link.kind = info.text(IFLA_INFO_KIND);
  link.alias = attributes.text(IFLA_IFALIAS);
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.carrier = (header.ifi_flags & IFF_LOWER_UP) != 0;
  // An index of another namespace would name a device here that has nothing to do with it.
  if (attributes.find(IFLA_LINK_NETNSID) == nullptr) link.parent = attributes.u32(IFLA_LINK).value_or(0);
  if (link.kind == "vlan") link.vlan = info.nested(IFLA_INFO_DATA).u16(IFLA_VLAN_ID);
  const auto address = attributes.bytes(IFLA_ADDRESS);
  if (header.ifi_type == ARPHRD_ETHER && address && address->size() == ETH_ALEN) {
    std::ranges::copy(*address, link.mac.emplace().begin());
  }
  return link;
}

Message get_message() {
  Message message(RTM_GETLINK, 0);
  message.header(ifinfomsg{}).put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return message;
}

// A message about an existing link.
Message link_message(uint16_t type, uint32_t index, uint32_t flags = 0, uint32_t change = 0) {
  Message message(type, 0);
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = flags;
  header.ifi_change = change;
  message.header(header);
  return message;
}

std::string number(uint32_t index) { return "number " + std::to_string(index); }

Result<void> check_name(const std::string& name, const char* operation) {
  if (is_link_name(name)) return {};
  return failure(EINVAL, operation, "'" + name + "'",
                 "a device name has 1 to 15 characters and no '/', ':', '%' or space");
}

}  // namespace

bool is_link_name(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](unsigned char c) {
    return c == '\0' || c == '/' || c == ':' || c == '%' || std::isspace(c) != 0;
  });
}

Result<std::vector<Link>> list_links(Socket& socket) {
  Message message = get_message();
  return dump_list<Link>(socket, message, {"list network devices", ""}, parse);
}

Result<Link> find_link(Socket& socket, const std::string& name) {
  const Purpose purpose{"find network device", name};
  if (!is_link_name(name)) return failure(ENODEV, purpose.operation, purpose.object);
  Message message = get_message();
  message.put(IFLA_IFNAME, name);
  std::optional<Link> link;
  auto done = request(socket, message, purpose, [&](const nlmsghdr* part) { link = parse(part); });
  if (!done) return std::unexpected(done.error());
  if (!link) return failure(ENODEV, purpose.operation, purpose.object);
  return *link;
}

Result<void> add_wireguard_link(Socket& socket, const std::string& name) {
  const Purpose purpose{"create WireGuard device", name};
  if (auto valid = check_name(name, "create WireGuard device"); !valid) return valid;
  Message message(RTM_NEWLINK, kCreate);
  message.header(ifinfomsg{}).put(IFLA_IFNAME, name);
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.put(IFLA_INFO_KIND, std::string("wireguard"));
  message.end(info);
  return request(socket, message, purpose);
}

Result<void> add_vlan_link(Socket& socket, const std::string& name, uint32_t parent, uint16_t vlan) {
  const Purpose purpose{"create VLAN device", name};
  if (auto valid = check_name(name, "create VLAN device"); !valid) return valid;
  Message message(RTM_NEWLINK, kCreate);
  message.header(ifinfomsg{}).put(IFLA_IFNAME, name).put_u32(IFLA_LINK, parent);
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.put(IFLA_INFO_KIND, std::string("vlan"));
  nlattr* data = message.begin(IFLA_INFO_DATA);
  message.put_u16(IFLA_VLAN_ID, vlan);
  message.end(data);
  message.end(info);
  return request(socket, message, purpose);
}

Result<void> set_link_alias(Socket& socket, uint32_t index, const std::string& alias) {
  const Purpose purpose{"set alias of network device", number(index)};
  if (alias.size() > kMaxAlias) {
    return failure(EINVAL, purpose.operation, purpose.object, "an alias has at most 255 bytes");
  }
  Message message = link_message(RTM_SETLINK, index);
  // Without a terminating zero: an attribute of length 0 is how the kernel is told to drop the alias.
  message.put(IFLA_IFALIAS, std::span(reinterpret_cast<const uint8_t*>(alias.data()), alias.size()));
  return request(socket, message, purpose);
}

Result<void> set_link_mtu(Socket& socket, uint32_t index, uint32_t mtu) {
  Message message = link_message(RTM_SETLINK, index);
  message.put_u32(IFLA_MTU, mtu);
  return request(socket, message, {"set MTU " + std::to_string(mtu) + " of network device", number(index)});
}

Result<void> set_link_up(Socket& socket, uint32_t index, bool up) {
  Message message = link_message(RTM_NEWLINK, index, up ? uint32_t{IFF_UP} : 0U, IFF_UP);
  return request(socket, message, {up ? "set network device up" : "set network device down", number(index)});
}

Result<void> delete_link(Socket& socket, uint32_t index) {
  // The kernel would take index 0 with no name as a mistake of its own kind; say plainly what it is.
  if (index == 0) return failure(ENODEV, "delete network device", number(index));
  Message message = link_message(RTM_DELLINK, index);
  return request(socket, message, {"delete network device", number(index)});
}

}  // namespace gw::nl
