// SPDX-License-Identifier: Apache-2.0
#include "netlink/route.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "netlink/message.h"

namespace gw::nl {
namespace {

constexpr uint32_t kDefaultIPv6Metric = 1024;  // IP6_RT_PRIO_USER

std::optional<Prefix> destination(const rtmsg& header, const Attributes& attributes) {
  Prefix out;
  out.address.family = header.rtm_family == AF_INET ? Family::v4 : Family::v6;
  if (header.rtm_dst_len > out.address.bits()) return std::nullopt;
  if (const auto address = attributes.address(RTA_DST)) out.address = *address;  // missing: the default route
  out.length = header.rtm_dst_len;
  return out;
}

// A next hop of the other family (RFC 5549) comes as RTA_VIA: family, then the address.
std::optional<IpAddress> gateway(const Attributes& attributes) {
  if (auto address = attributes.address(RTA_GATEWAY)) return address;
  const auto raw = attributes.bytes(RTA_VIA);
  if (!raw || (raw->size() != 2 + 4 && raw->size() != 2 + 16)) return std::nullopt;
  IpAddress out;
  out.family = raw->size() == 2 + 4 ? Family::v4 : Family::v6;
  std::memcpy(out.bytes.data(), raw->data() + 2, raw->size() - 2);
  return out;
}

void append_next_hops(const Route& common, std::span<const uint8_t> raw, std::vector<Route>& out) {
  while (raw.size() >= sizeof(rtnexthop)) {
    rtnexthop hop{};
    std::memcpy(&hop, raw.data(), sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > raw.size()) return;
    Route route = common;
    route.oif = static_cast<uint32_t>(hop.rtnh_ifindex);
    const auto rest = raw.subspan(sizeof hop, hop.rtnh_len - sizeof hop);
    route.via = gateway({reinterpret_cast<const nlattr*>(rest.data()), static_cast<int>(rest.size())});
    out.push_back(route);
    raw = raw.subspan(std::min<size_t>(RTNH_ALIGN(hop.rtnh_len), raw.size()));
  }
}

void parse(const nlmsghdr* message, uint8_t protocol, std::vector<Route>& out) {
  if (message->nlmsg_type != RTM_NEWROUTE || nlmsg_datalen(message) < static_cast<int>(sizeof(rtmsg))) return;
  rtmsg header{};
  std::memcpy(&header, nlmsg_data(message), sizeof header);
  const bool unreachable = header.rtm_type == RTN_UNREACHABLE && protocol != 0;
  if ((header.rtm_type != RTN_UNICAST && !unreachable) || (header.rtm_flags & RTM_F_CLONED) != 0) return;
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return;
  if (protocol != 0 && header.rtm_protocol != protocol) return;
  const Attributes attributes(message, sizeof header);
  const auto dst = destination(header, attributes);
  if (!dst) return;
  Route route;
  route.dst = *dst;
  route.table = attributes.u32(RTA_TABLE).value_or(header.rtm_table);
  route.protocol = header.rtm_protocol;
  route.metric = attributes.u32(RTA_PRIORITY).value_or(0);
  if (dst->address.family == Family::v6 && route.metric == kDefaultIPv6Metric) route.metric = 0;
  if (const auto hops = attributes.bytes(RTA_MULTIPATH)) return append_next_hops(route, *hops, out);
  route.unreachable = unreachable;
  if (unreachable) return out.push_back(route);  // IPv6 names lo, which nobody asked for
  route.oif = attributes.u32(RTA_OIF).value_or(0);
  route.via = gateway(attributes);
  out.push_back(route);
}

void put_gateway(Message& message, const Route& route) {
  if (!route.via) return;
  if (route.via->family == route.dst.address.family) {
    message.put(RTA_GATEWAY, *route.via);
    return;
  }
  std::vector<uint8_t> raw(2);
  const uint16_t family = route.via->family == Family::v4 ? AF_INET : AF_INET6;
  std::memcpy(raw.data(), &family, sizeof family);
  raw.insert(raw.end(), route.via->bytes.begin(), route.via->bytes.begin() + route.via->bits() / 8);
  message.put(RTA_VIA, raw);
}

Message message_for(uint16_t type, uint16_t flags, const Route& route, uint8_t scope) {
  const bool v6 = route.dst.address.family == Family::v6;
  rtmsg header{};
  header.rtm_family = v6 ? AF_INET6 : AF_INET;
  header.rtm_dst_len = route.dst.length;
  header.rtm_table = static_cast<uint8_t>(route.table < 256 ? route.table : RT_TABLE_UNSPEC);
  header.rtm_protocol = route.protocol;
  header.rtm_scope = scope;
  header.rtm_type = route.unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
  Message message(type, flags);
  message.header(header).put(RTA_DST, route.dst.address).put_u32(RTA_TABLE, route.table);
  if (!route.unreachable) message.put_u32(RTA_OIF, route.oif);
  // For a deletion 0 means any metric, so the real one is named.
  const uint32_t metric = v6 && route.metric == 0 ? kDefaultIPv6Metric : route.metric;
  if (metric != 0) message.put_u32(RTA_PRIORITY, metric);
  put_gateway(message, route);
  return message;
}

Purpose purpose(const char* operation, const Route& route) {
  std::string object = route.dst.str();
  if (route.via) object += " via " + route.via->str();
  if (route.unreachable) return {operation, "unreachable " + object};
  return {operation, object + " on device number " + std::to_string(route.oif)};
}

}  // namespace

Result<std::vector<Route>> list_routes(Socket& socket, uint8_t protocol) {
  std::vector<Route> out;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    rtmsg header{};
    header.rtm_family = family;
    header.rtm_protocol = protocol;  // the kernel filters since 4.20; parse() does in any case
    Message message(RTM_GETROUTE, 0);
    message.header(header);
    std::vector<Route> part;
    auto done = dump(
        socket, message, {"list routes", ""}, [&] { part.clear(); },
        [&](const nlmsghdr* entry) { parse(entry, protocol, part); });
    if (!done) return std::unexpected(done.error());
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

Result<void> add_route(Socket& socket, const Route& route) {
  const bool wide = route.via || route.unreachable || route.dst.address.family == Family::v6;
  const uint8_t scope = wide ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  Message message = message_for(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, scope);
  return request(socket, message, purpose("add route", route));
}

Result<void> delete_route(Socket& socket, const Route& route) {
  if (route.protocol == 0) {
    auto why = purpose("delete route", route);
    return failure(EINVAL, why.operation, why.object, "protocol 0 would match a route of anyone");
  }
  Message message = message_for(RTM_DELROUTE, 0, route, RT_SCOPE_NOWHERE);
  return request(socket, message, purpose("delete route", route));
}

}  // namespace gw::nl
