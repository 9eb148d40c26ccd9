// SPDX-License-Identifier: Apache-2.0
// TCP through the tunnel of gwconnect, and the round trip of a ping: WireGuard in TLS to the gateway's port 443, the
// same through tinyproxy, and in UDP. Devices, proxy, gateway and server share the machine.
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "tests/bench/iperf.h"
#include "tests/netns/gateway/member.h"
#include "tests/support/bench.h"

namespace gw::test {
namespace {

constexpr int kRounds = 9;
constexpr const char* kServer = "10.1.1.10";
constexpr int kPings = 100;

/// A device whose network lets WireGuard's UDP through or not.
class Device {
 public:
  Device(Lab& lab, const std::string& name, const std::string& transport, const std::string& options)
      : member_(lab, name) {
    if (transport == "tls") {
      member_.host().must(Arguments{"nft",
                                    "add table ip shut; add chain ip shut out { type filter hook output priority 0; }; "
                                    "add rule ip shut out udp dport 51820 drop"});
    }
    member_.start();
    const std::string link = lab.invite("--group developers").at("link");
    const Output joined = member_.gwconnect("join " + link + " --name " + name + " " + options);
    const auto there = [&] {
      const auto now = member_.status();
      return !now.empty() && now.at(0).at("transport") == transport && now.at(0).at("up") == true;
    };
    constexpr std::chrono::seconds kLimit{120};
    if (!Lab::eventually(there, kLimit) || !member_.reaches(kServer))
      throw std::runtime_error(name + " does not come in by " + transport + "\n" + joined.err + member_.log());
  }

  [[nodiscard]] double throughput(const Host& server) const { return tcp_throughput(member_.host(), server, kServer); }
  /// Milliseconds, the mean of a hundred.
  [[nodiscard]] double round_trip() const {
    const std::string told =
        member_.host().must("ping -q -i 0.01 -c " + std::to_string(kPings) + " " + std::string(kServer));
    const size_t mean = told.find('/', told.find("= "));
    if (mean == std::string::npos) throw std::runtime_error("ping: " + told);
    return std::stod(told.substr(mean + 1));
  }

 private:
  Member member_;
};

void bench_relay() {
  Lab lab(GW_BINARY_DIR);
  lab.configure(
      "groups: {developers: {}}\nrules:\n  - {name: iperf, action: allow, from: [group:developers], to: [subnet:web], "
      "services: [tcp/5201, icmp]}\n");
  lab.configure_enrolment();
  lab.start();
  lab.start_enrolment();
  Host& proxy = lab.attach("proxy");
  const std::string address = words(proxy.must("hostname -I")).at(0);
  const std::string path = lab.directory() + "/proxy.conf";
  std::ofstream(path) << "Port 8888\nListen " << address << "\nTimeout 600\nMaxClients 20\nConnectPort 443\n";
  const Process process = proxy.start_threaded({"tinyproxy", "-d", "-c", path}, lab.directory() + "/proxy.log");
  const Device tls(lab, "tls", "tls", "");
  const Device proxied(lab, "proxied", "tls", "--proxy http://" + address + ":8888");
  const Device udp(lab, "udp", "udp", "");
  report(interleave("relay: one TCP stream", "Mbit/s", kRounds,
                    {{"through TLS", [&] { return tls.throughput(lab.web()); }},
                     {"through TLS and tinyproxy", [&] { return proxied.throughput(lab.web()); }},
                     {"UDP", [&] { return udp.throughput(lab.web()); }}}),
         bench_file());
  report(interleave("relay: round trip of a ping", "ms", kRounds,
                    {{"through TLS", [&] { return tls.round_trip(); }},
                     {"through TLS and tinyproxy", [&] { return proxied.round_trip(); }},
                     {"UDP", [&] { return udp.round_trip(); }}}),
         bench_file());
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_relay();
  } catch (const std::exception& error) {
    std::cerr << "bench_relay: " << error.what() << "\n";
    return 1;
  }
}
