// SPDX-License-Identifier: Apache-2.0
#include "netlink/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <cstring>

#include "netlink/message.h"

namespace gw::nl {
namespace {

std::optional<Address> parse(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWADDR || nlmsg_datalen(message) < static_cast<int>(sizeof(ifaddrmsg))) {
    return std::nullopt;
  }
  ifaddrmsg header{};
  std::memcpy(&header, nlmsg_data(message), sizeof header);
  const Attributes attributes(message, sizeof header);
  // IFA_ADDRESS is the far end of a point-to-point address, and IPv6 leaves out IFA_LOCAL where there is none.
  auto local = attributes.address(IFA_LOCAL);
  if (!local) local = attributes.address(IFA_ADDRESS);
  if (!local) return std::nullopt;
  return Address{header.ifa_index, *local, header.ifa_prefixlen, attributes.u8(IFA_PROTO).value_or(0)};
}

Message message_for(uint16_t type, uint16_t flags, const Address& address) {
  ifaddrmsg header{};
  header.ifa_family = address.address.family == Family::v4 ? AF_INET : AF_INET6;
  header.ifa_prefixlen = address.length;
  header.ifa_index = address.ifindex;
  if (address.address.family == Family::v6) header.ifa_flags = IFA_F_NODAD;
  Message message(type, flags);
  message.header(header).put(IFA_LOCAL, address.address).put(IFA_ADDRESS, address.address);
  return message;
}

Purpose purpose(const char* operation, const Address& address) {
  return {operation, address.address.str() + "/" + std::to_string(address.length) + " on device number " +
                         std::to_string(address.ifindex)};
}

}  // namespace

Result<std::vector<Address>> list_addresses(Socket& socket) {
  Message message(RTM_GETADDR, 0);
  message.header(ifaddrmsg{});
  return dump_list<Address>(socket, message, {"list addresses", ""}, parse);
}

Result<void> add_address(Socket& socket, const Address& address) {
  Message message = message_for(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
  if (address.protocol != 0) message.put_u8(IFA_PROTO, address.protocol);
  return request(socket, message, purpose("add address", address));
}

Result<void> delete_address(Socket& socket, const Address& address) {
  Message message = message_for(RTM_DELADDR, 0, address);
  return request(socket, message, purpose("delete address", address));
}

}  // namespace gw::nl
