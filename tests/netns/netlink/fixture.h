// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <string>

#include "gatewayd/base/ip.h"
#include "netlink/link.h"
#include "tests/support/namespace.h"

namespace gw::nl {

/// A test in a fresh network namespace with a route netlink socket.
class NetlinkTest : public testing::Test {
 protected:
  /// A pair of Ethernet devices, both up; the index of the first.
  uint32_t add_veth(const std::string& name, const std::string& peer) {
    test::must("ip link add " + name + " type veth peer name " + peer);
    test::must("ip link set " + name + " up");
    test::must("ip link set " + peer + " up");
    return index_of(name);
  }
  uint32_t index_of(const std::string& name) {
    const auto link = find_link(socket_, name);
    if (!link) throw std::runtime_error(link.error().message());
    return link->index;
  }
  static IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
  static Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

  test::Namespace namespace_;
  Socket socket_ = Socket::open(NETLINK_ROUTE).value();
};

}  // namespace gw::nl
