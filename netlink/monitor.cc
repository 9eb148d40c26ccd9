// SPDX-License-Identifier: Apache-2.0
#include "netlink/monitor.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <array>
#include <bitset>
#include <cerrno>
#include <optional>
#include <vector>

#include "gatewayd/base/fd.h"

namespace gw::nl {
namespace {

constexpr int kReceiveBuffer = 1 << 20;
constexpr size_t kDatagram = size_t{64} << 10U;
constexpr size_t kKinds = static_cast<size_t>(Monitor::What::overrun) + 1;
constexpr std::array kRouteGroups = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                     RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,   RTNLGRP_TC};

Result<UniqueFd> open_socket(int protocol) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failure(errno, "open netlink monitor", "of protocol " + std::to_string(protocol));
  }
  // Past the system's limit only with CAP_NET_ADMIN; without it, bursts overrun earlier and that is told.
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  return fd;
}

Result<void> join(const UniqueFd& fd, int group) {
  if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0) return {};
  return failure(errno, "listen to netlink group", std::to_string(group));
}

std::optional<Monitor::What> kind_of_route_message(uint16_t type) {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return Monitor::What::link;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return Monitor::What::address;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return Monitor::What::route;
    case RTM_NEWQDISC:
    case RTM_DELQDISC:
    case RTM_NEWTFILTER:
    case RTM_DELTFILTER:
      return Monitor::What::filter;
    default:
      return std::nullopt;
  }
}

std::optional<Monitor::What> kind_of_nftables_message(uint16_t type) {
  if (NFNL_SUBSYS_ID(type) == NFNL_SUBSYS_NFTABLES) return Monitor::What::nftables;
  return std::nullopt;
}

}  // namespace

struct Monitor::Impl {
  UniqueFd route;
  UniqueFd nftables;
  std::vector<uint8_t> buffer = std::vector<uint8_t>(kDatagram);
  std::bitset<kKinds> seen;

  void see(What what) { seen.set(static_cast<size_t>(what)); }

  template <class Kind>
  Result<void> drain(const UniqueFd& fd, Kind kind) {
    for (;;) {
      const ssize_t n = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_TRUNC);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return {};
      if (n < 0 && errno != ENOBUFS) return failure(errno, "read netlink monitor");
      if (n < 0 || static_cast<size_t>(n) > buffer.size()) {
        see(What::overrun);
        continue;
      }
      int left = static_cast<int>(n);
      for (auto* part = reinterpret_cast<nlmsghdr*>(buffer.data()); nlmsg_ok(part, left) != 0;
           part = nlmsg_next(part, &left)) {
        if (const auto what = kind(part->nlmsg_type)) see(*what);
      }
    }
  }
};

Monitor::Monitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Monitor::Monitor(Monitor&&) noexcept = default;
Monitor& Monitor::operator=(Monitor&&) noexcept = default;
Monitor::~Monitor() = default;

Result<Monitor> Monitor::open() {
  auto impl = std::make_unique<Impl>();
  auto route = open_socket(NETLINK_ROUTE);
  if (!route) return std::unexpected(route.error());
  auto nftables = open_socket(NETLINK_NETFILTER);
  if (!nftables) return std::unexpected(nftables.error());
  for (const auto group : kRouteGroups) {
    if (auto joined = join(*route, group); !joined) return std::unexpected(joined.error());
  }
  if (auto joined = join(*nftables, NFNLGRP_NFTABLES); !joined) return std::unexpected(joined.error());
  impl->route = std::move(*route);
  impl->nftables = std::move(*nftables);
  return Monitor(std::move(impl));
}

int Monitor::route_fd() const { return impl_->route.get(); }
int Monitor::nftables_fd() const { return impl_->nftables.get(); }

Result<void> Monitor::drain(const std::function<void(What)>& handle) {
  impl_->seen.reset();
  auto done = impl_->drain(impl_->route, kind_of_route_message);
  if (done) done = impl_->drain(impl_->nftables, kind_of_nftables_message);
  // What was taken from the sockets is told even when one of them failed: it will not come again.
  const auto seen = impl_->seen;
  for (size_t i = 0; i < kKinds; ++i) {
    if (seen.test(i)) handle(static_cast<What>(i));
  }
  return done;
}

}  // namespace gw::nl
