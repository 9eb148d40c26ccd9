// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/lab.h"

namespace gw::test {

/// WireGuard between the hosts of a Lab and nothing else: the peer of what has a policy. `bob` reaches 10.1.1.0/24
/// through it.
class WireGuardRouter {
 public:
  WireGuardRouter() {
    Host& router = lab_.gateway();
    router.must("ip address add 10.1.1.1/24 dev eth1");
    router.must("sysctl -qw net.ipv4.ip_forward=1");
    Host& client = lab_.attach("bob");
    router_key_ = make_device(router, "router");
    client_key_ = make_device(client, "client");
    router.must("wg set wg0 listen-port 51820");
    router.must("ip address add 172.16.201.1/24 dev wg0");
    client.must("ip address add 172.16.201.4/32 dev wg0");
    client.must("ip route add 10.1.1.0/24 dev wg0");
    add_client();
  }

  Lab& lab() { return lab_; }
  Host& client() { return lab_.client("bob"); }

  void remove_client() { lab_.gateway().must("wg set wg0 peer " + client_key_ + " remove"); }
  /// The client forgets its session too, or it would use it for a while.
  void add_client() {
    lab_.gateway().must("wg set wg0 peer " + client_key_ + " allowed-ips 172.16.201.4/32");
    client().must("wg set wg0 peer " + router_key_ + " remove");
    client().must("wg set wg0 peer " + router_key_ + " endpoint 5.5.5.1:51820 allowed-ips 10.1.1.0/24");
  }

 private:
  /// wg0 with a key of its own, up; returns its public key.
  std::string make_device(Host& host, const std::string& name) {
    const std::string path = lab_.directory() + "/" + name + ".key";
    host.must(
        {"bash", "-c", "ip link add wg0 type wireguard 2>/dev/null || LOG_LEVEL=silent wireguard-go wg0 2>/dev/null"});
    host.must({"bash", "-c", "umask 077; wg genkey > " + path});
    host.must("wg set wg0 private-key " + path);
    host.must("ip link set wg0 up");
    return words(host.must("wg show wg0 public-key")).at(0);
  }

  Lab lab_{GW_BINARY_DIR};
  std::string router_key_, client_key_;
};

}  // namespace gw::test
