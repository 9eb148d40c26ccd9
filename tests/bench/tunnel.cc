// SPDX-License-Identifier: Apache-2.0
// TCP through the tunnel, from a client to a host of a subnet: with our policy, with WireGuard alone, and with nftables
// and connection tracking behind WireGuard. One iperf3 stream; client, gateway and server share the machine.
#include <iostream>
#include <stdexcept>

#include "tests/bench/iperf.h"
#include "tests/bench/wireguard_router.h"
#include "tests/support/bench.h"

namespace gw::test {
namespace {

constexpr int kRounds = 9;
constexpr const char* kServer = "10.1.1.10";

void bench_tunnel() {
  Lab ours(GW_BINARY_DIR);
  ours.configure(
      "groups: {developers: {}}\nrules:\n  - {name: iperf, action: allow, from: [group:developers], to: [subnet:web], "
      "services: [tcp/5201]}\n");
  ours.start();
  ours.enrol("alice", "developers");
  WireGuardRouter plain;
  WireGuardRouter filtered;
  filtered.lab().gateway().must(
      Arguments{"nft",
                "add table inet bench; add chain inet bench forward { type filter hook forward priority filter; policy "
                "drop; }; add rule inet bench forward ct state established,related accept; add rule inet bench forward "
                "ip saddr 172.16.201.0/24 ip daddr 10.1.1.0/24 tcp dport 5201 accept"});
  for (WireGuardRouter* router : {&plain, &filtered}) router->lab().web().must("ip route replace default via 10.1.1.1");
  report(interleave("tunnel, one TCP stream", "Mbit/s", kRounds,
                    {{"ours", [&] { return tcp_throughput(ours.client("alice"), ours.web(), kServer); }},
                     {"WireGuard alone", [&] { return tcp_throughput(plain.client(), plain.lab().web(), kServer); }},
                     {"WireGuard and nftables",
                      [&] { return tcp_throughput(filtered.client(), filtered.lab().web(), kServer); }}}),
         bench_file());
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_tunnel();
  } catch (const std::exception& error) {
    std::cerr << "bench_tunnel: " << error.what() << "\n";
    return 1;
  }
}
