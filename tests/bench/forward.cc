// SPDX-License-Identifier: Apache-2.0
// Forwarded packets per second, 64-byte frames from one subnet to another through the gateway's namespace: ours with
// the fast path and without, plain forwarding, and nftables with connection tracking and verdict maps for the same
// policy. A generator in the kernel, on the same core, sends them from a host; they are counted where they leave the
// gateway. All veth devices poll (generic receive offload), as cards do, for every contender.
#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "bpf/generator.skel.h"
#include "tests/support/bench.h"
#include "tests/support/lab.h"

namespace gw::test {
namespace {

constexpr int kRounds = 9;
constexpr uint32_t kPackets = 1'000'000;
constexpr uint32_t kWarmUp = 100'000;

uint16_t checksum_of(const std::string& source, const std::string& destination, uint16_t length) {
  const auto word_sum = [](const std::string& text) {
    const uint32_t address = ntohl(inet_addr(text.c_str()));
    return (address >> 16U) + (address & 0xffffU);
  };
  uint32_t sum = 0x4500U + length + (64U << 8U | 17U) + word_sum(source) + word_sum(destination);
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return htons(static_cast<uint16_t>(~sum));
}

/// One way through a gateway: packets that a host sends to `in`, and that are counted where they leave, at `out`.
struct Way {
  const char *in, *out, *source, *destination;
  bool reverse;
};
constexpr Way kThere{"eth1", "eth2", "10.1.1.10", "10.1.2.10", false};
constexpr Way kBack{"eth2", "eth1", "10.1.2.10", "10.1.1.10", true};

class Generator {
 public:
  Generator(Lab& lab, const Way& way)
      : lab_(lab), host_(way.reverse ? lab.data() : lab.web()), way_(way), program_(gw_generator__open_and_load()) {
    if (program_ == nullptr) throw std::runtime_error("cannot load the generator");
    std::istringstream mac(lab.gateway().must("cat /sys/class/net/" + std::string(way.in) + "/address"));
    mac >> std::hex;
    for (size_t i = 0; i < 6; ++i) {
      unsigned byte = 0;
      if (i > 0) mac.ignore();
      mac >> byte;
      program_->bss->destination_mac[i] = static_cast<unsigned char>(byte);
    }
    program_->bss->source = inet_addr(way.source);
    program_->bss->destination = inet_addr(way.destination);
    program_->bss->ip_checksum = checksum_of(way.source, way.destination, 20 + 8 + 18);
    program_->bss->reverse = way.reverse ? 1 : 0;
    ifindex_ = std::stoi(host_.must("cat /sys/class/net/eth0/ifindex"));
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
  ~Generator() { gw_generator__destroy(program_); }

  void send(uint32_t packets, uint32_t flows) {
    program_->data->flows = flows;
    char packet[60] = {};
    xdp_md context{};
    context.data_end = sizeof packet;
    context.ingress_ifindex = static_cast<uint32_t>(ifindex_);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof packet, .ctx_in = &context,
                .ctx_size_in = sizeof context, .repeat = static_cast<int>(packets), .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                .batch_size = 64);
    int status = -1;
    host_.in([&] { status = bpf_prog_test_run_opts(bpf_program__fd(program_->progs.generate), &options); });
    if (status != 0) throw std::runtime_error("test run: " + std::to_string(status));
  }

  uint64_t forwarded() {
    return std::stoull(lab_.gateway().must("cat /sys/class/net/" + std::string(way_.out) + "/statistics/tx_packets"));
  }

 private:
  Lab& lab_;
  Host& host_;
  Way way_;
  gw_generator* program_;
  int ifindex_ = 0;
};

/// A gateway under load. Flows are seen both ways before anything is measured, so that they are established for all.
class Contender {
 public:
  explicit Contender(Lab& lab) : there_(lab, kThere), back_(lab, kBack) {}

  /// Packets per second that leave.
  double measure(uint32_t flows) {
    there_.send(flows, flows);
    const uint64_t answers = back_.forwarded();
    back_.send(flows, flows);
    if (back_.forwarded() - answers < flows) throw std::runtime_error("an answer was not forwarded");
    there_.send(kWarmUp, flows);
    const uint64_t before = there_.forwarded();
    const auto start = std::chrono::steady_clock::now();
    there_.send(kPackets, flows);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const uint64_t passed = there_.forwarded() - before;
    if (passed < kPackets / 2) throw std::runtime_error("only " + std::to_string(passed) + " packets were forwarded");
    return static_cast<double>(passed) / took.count();
  }

 private:
  Generator there_, back_;
};

/// Rules that do not match before one that does, for other ports and groups.
std::string rules(int count) {
  std::string out = "groups: {developers: {}}\nrules:\n";
  for (int i = 0; i < count - 1; ++i) {
    out += "  - {name: r" + std::to_string(i) +
           ", action: allow, from: [subnet:web], to: [subnet:data], services: [udp/" + std::to_string(2000 + i) +
           "]}\n";
  }
  return out + "  - {name: allowed, action: allow, from: [subnet:web], to: [subnet:data], services: [udp/9]}\n";
}

/// Devices that poll take frames from XDP, and the sender's.
void prepare_devices(Lab& lab) {
  for (const char* device : {"eth1", "eth2"}) lab.gateway().must("ethtool -K " + std::string(device) + " gro on");
  for (Host* host : {&lab.web(), &lab.data()}) host->must("ethtool -K eth0 gro on");
}

/// A host that takes packets and drops them as early as it can.
void prepare_sink(Lab& lab, const Host& host, const std::string& address, const std::string& device) {
  const std::string mac = host.must("cat /sys/class/net/eth0/address");
  lab.gateway().must("ip neighbour replace " + address + " lladdr " + mac.substr(0, 17) + " dev " + device +
                     " nud permanent");
  host.must(Arguments{"nft",
                      "add table netdev sink; add chain netdev sink in { type filter hook ingress device eth0 "
                      "priority 0; policy drop; }"});
}

void prepare_router(Lab& lab) {
  lab.gateway().must("ip address add 10.1.1.1/24 dev eth1");
  lab.gateway().must("ip address add 10.1.2.1/24 dev eth2");
  lab.gateway().must("sysctl -qw net.ipv4.ip_forward=1");
}

void prepare_nftables(Lab& lab, int count) {
  std::string ports = "9 : accept";
  for (int i = 0; i < count - 1; ++i) ports += ", " + std::to_string(2000 + i) + " : accept";
  const std::string script =
      "table inet bench {\n"
      " map services { type inet_service : verdict; elements = { " +
      ports +
      " } }\n"
      " chain web_data { udp dport vmap @services; }\n"
      " chain forward { type filter hook forward priority filter; policy drop;\n"
      "  ct state established,related accept\n"
      "  ip saddr . ip daddr vmap { 10.1.1.0/24 . 10.1.2.0/24 : jump web_data }\n }\n}\n";
  const std::string path = lab.directory() + "/bench.nft";
  std::ofstream(path) << script;
  lab.gateway().must("nft -f " + path);
}

void bench_forwarding() {
  constexpr int kRules = 1000;
  Lab ours(GW_BINARY_DIR);
  Lab slow(GW_BINARY_DIR);
  prepare_devices(ours);
  ours.configure(rules(kRules) + "dataplane: {fast_path: on}\n");
  ours.start();
  if (ours.must_gwctl("status").find("fast path   eth1, eth2") == std::string::npos)
    throw std::runtime_error("the fast path is off");
  prepare_devices(slow);
  slow.configure(rules(kRules) + "dataplane: {fast_path: off}\n");
  slow.start();
  Lab plain(GW_BINARY_DIR);
  prepare_devices(plain);
  prepare_router(plain);
  Lab nftables(GW_BINARY_DIR);
  prepare_devices(nftables);
  prepare_router(nftables);
  prepare_nftables(nftables, kRules);
  for (Lab* lab : {&ours, &slow, &plain, &nftables}) {
    prepare_sink(*lab, lab->web(), "10.1.1.10", "eth1");
    prepare_sink(*lab, lab->data(), "10.1.2.10", "eth2");
  }
  Contender our_gateway(ours);
  Contender slow_gateway(slow);
  Contender plain_router(plain);
  Contender nftables_router(nftables);
  for (const uint32_t flows : {1U, 1000U}) {
    report(interleave("forward, 64 B, " + std::to_string(flows) + " flows, 1,000 rules", "packets/s", kRounds,
                      {{"ours", [&] { return our_gateway.measure(flows); }},
                       {"ours, fast path off", [&] { return slow_gateway.measure(flows); }},
                       {"plain forwarding", [&] { return plain_router.measure(flows); }},
                       {"nftables, conntrack and verdict maps", [&] { return nftables_router.measure(flows); }}}),
           bench_file());
  }
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_forwarding();
  } catch (const std::exception& error) {
    std::cerr << "bench_forward: " << error.what() << "\n";
    return 1;
  }
}
