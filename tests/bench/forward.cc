// SPDX-License-Identifier: Apache-2.0
// Forwarded packets per second from one subnet to another through the gateway's namespace, by size of the frame, number
// of flows and number of rules: ours with the fast path and without, plain forwarding, and the same policy by nftables
// (connection tracking and a verdict map; rule after rule without tracking) and by iptables with connection tracking
// and an ipset. A generator in the kernel, on the same core, sends them from a host; they are counted where they leave
// the gateway. All veth devices poll (generic receive offload), as cards do, for every contender.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fmt/core.h>
#include <linux/if_ether.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "bpf/generator.skel.h"
#include "tests/support/bench.h"
#include "tests/support/lab.h"

namespace gw::test {
namespace {

constexpr int kRounds = 5;
constexpr uint16_t kUdpHeaders = 20 + 8;

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
    program_->bss->reverse = way.reverse ? 1 : 0;
    ifindex_ = std::stoi(host_.must("cat /sys/class/net/eth0/ifindex"));
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
  ~Generator() { gw_generator__destroy(program_); }

  /// Frames of `size` bytes, as they are counted on Ethernet: with the four of the checksum that follows them.
  void send(uint32_t packets, uint32_t flows, uint16_t size) {
    const auto frame = static_cast<uint16_t>(size - ETH_FCS_LEN);
    const auto length = static_cast<uint16_t>(frame - ETH_HLEN);
    program_->data->flows = flows;
    program_->data->payload = static_cast<uint16_t>(length - kUdpHeaders);
    program_->bss->ip_checksum = checksum_of(way_.source, way_.destination, length);
    std::vector<char> packet(frame);
    xdp_md context{};
    context.data_end = frame;
    context.ingress_ifindex = static_cast<uint32_t>(ifindex_);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(), .data_size_in = frame, .ctx_in = &context,
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
  Contender(Lab& lab, uint32_t packets, bool stateful)
      : there_(lab, kThere), back_(lab, kBack), packets_(packets), stateful_(stateful) {}

  /// Packets per second that leave. What comes too fast for one that goes rule by rule is lost before it. Another that
  /// loses most was not the only one on its processor, since namespaces of the round before are still being taken
  /// apart: again.
  double measure(uint32_t flows, uint16_t size) {
    constexpr int kTries = 10;
    for (int i = 0; i < kTries; ++i) {
      const auto [passed, seconds] = send(flows, size);
      if (passed >= packets_ / (stateful_ ? 2 : 100)) return static_cast<double>(passed) / seconds;
    }
    throw std::runtime_error("most packets are lost");
  }

 private:
  std::pair<uint64_t, double> send(uint32_t flows, uint16_t size) {
    if (stateful_) establish(flows, size);
    const uint64_t before = there_.forwarded();
    const auto start = std::chrono::steady_clock::now();
    there_.send(packets_, flows, size);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const uint64_t passed = there_.forwarded() - before;
    if (!stateful_) drain();
    return {passed, took.count()};
  }

  /// What waits in the queue of a slow one would take the processor from the next.
  void drain() {
    for (uint64_t last = 0, now = there_.forwarded(); now != last; last = std::exchange(now, there_.forwarded()))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  void establish(uint32_t flows, uint16_t size) {
    there_.send(flows, flows, size);
    const uint64_t answers = back_.forwarded();
    back_.send(flows, flows, size);
    if (back_.forwarded() - answers < flows) throw std::runtime_error("an answer was not forwarded");
  }

  Generator there_, back_;
  uint32_t packets_;
  bool stateful_;
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

void load_nftables(Lab& lab, const std::string& script) {
  const std::string path = lab.directory() + "/bench.nft";
  std::ofstream(path) << script;
  lab.gateway().must("nft -f " + path);
}

/// The port that is allowed is the last, as in rules().
void prepare_verdict_map(Lab& lab, int count) {
  std::string ports;
  for (int i = 0; i < count - 1; ++i) ports += std::to_string(2000 + i) + " : accept, ";
  load_nftables(lab,
                "table inet bench {\n"
                " map services { type inet_service : verdict; elements = { " +
                    ports +
                    "9 : accept } }\n"
                    " chain web_data { udp dport vmap @services; }\n"
                    " chain forward { type filter hook forward priority filter; policy drop;\n"
                    "  ct state established,related accept\n"
                    "  ip saddr . ip daddr vmap { 10.1.1.0/24 . 10.1.2.0/24 : jump web_data }\n }\n}\n");
}

void prepare_linear(Lab& lab, int count) {
  const auto rule = [](const std::string& match) { return "  " + match + " accept\n"; };
  std::string rules = rule("ip saddr 10.1.2.0/24 ip daddr 10.1.1.0/24 udp sport 9");
  for (int i = 0; i < count - 1; ++i)
    rules += rule("ip saddr 10.1.1.0/24 ip daddr 10.1.2.0/24 udp dport " + std::to_string(2000 + i));
  rules += rule("ip saddr 10.1.1.0/24 ip daddr 10.1.2.0/24 udp dport 9");
  load_nftables(lab, "table inet bench {\n chain forward { type filter hook forward priority filter; policy drop;\n" +
                         rules + " }\n}\n");
}

void prepare_ipset(Lab& lab, int count) {
  std::string script = "create services hash:net,port maxelem 65536\n";
  for (int i = 0; i < count - 1; ++i) script += "add services 10.1.2.0/24,udp:" + std::to_string(2000 + i) + "\n";
  const std::string path = lab.directory() + "/bench.ipset";
  std::ofstream(path) << script << "add services 10.1.2.0/24,udp:9\n";
  const Host& gateway = lab.gateway();
  gateway.must("ipset restore -file " + path);
  gateway.must("iptables -P FORWARD DROP");
  gateway.must("iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
  gateway.must("iptables -A FORWARD -s 10.1.1.0/24 -m set --match-set services dst,dst -j ACCEPT");
}

/// What is measured: all of it takes an hour on an emulated machine.
struct Extent {
  std::vector<int> rules = {10, 1000, 10000};
  std::vector<uint16_t> sizes = {64, 512, 1420};
  std::vector<uint32_t> flows = {1, 1000};
  uint32_t packets = 300'000;  ///< of one call, whose own cost is some 15 ms
};

struct Entrant {
  std::string name;
  std::function<void(Lab&, int)> prepare;
  bool linear = false;
};

void prepare_ours(Lab& lab, int count, bool fast) {
  lab.configure(rules(count) + "dataplane: {fast_path: " + (fast ? "on" : "off") + "}\n");
  lab.start();
  const bool on = lab.must_gwctl("status").find("fast path   eth1, eth2") != std::string::npos;
  if (on != fast) throw std::runtime_error("the fast path is not as configured");
}

/// Established flows past the stack by nftables itself, with its connection tracking (nf_flow_table).
void prepare_flowtable(Lab& lab, int count) {
  std::string ports;
  for (int i = 0; i < count - 1; ++i) ports += std::to_string(2000 + i) + " : accept, ";
  load_nftables(lab,
                "table inet bench {\n"
                " flowtable fast { hook ingress priority 0; devices = { eth1, eth2 }; }\n"
                " map services { type inet_service : verdict; elements = { " +
                    ports +
                    "9 : accept } }\n"
                    " chain web_data { udp dport vmap @services; }\n"
                    " chain forward { type filter hook forward priority filter; policy drop;\n"
                    "  ct state established flow add @fast\n"
                    "  ct state established,related accept\n"
                    "  ip saddr . ip daddr vmap { 10.1.1.0/24 . 10.1.2.0/24 : jump web_data }\n }\n}\n");
}

bool kernel_has_flowtables() {
  Lab lab(GW_BINARY_DIR);
  return lab.gateway()
      .run(
          Arguments{"nft", "add table inet t; add flowtable inet t f { hook ingress priority 0; devices = { eth1 }; }"})
      .ok();
}

std::vector<Entrant> entrants() {
  static const bool flowtables = kernel_has_flowtables();
  const auto routed = [](auto&& prepare) {
    return [prepare](Lab& lab, int count) {
      prepare_router(lab);
      prepare(lab, count);
    };
  };
  std::vector<Entrant> all = {{"ours", [](Lab& lab, int count) { prepare_ours(lab, count, true); }},
                              {"ours, fast path off", [](Lab& lab, int count) { prepare_ours(lab, count, false); }},
                              {"plain forwarding", routed([](Lab&, int) {})},
                              {"nftables, conntrack and verdict map", routed(prepare_verdict_map)},
                              {"nftables, rule by rule without conntrack", routed(prepare_linear), true},
                              {"iptables, conntrack and ipset", routed(prepare_ipset)}};
  if (flowtables) all.push_back({"nftables, flowtable", routed(prepare_flowtable)});
  return all;
}

void bench_rules(const Extent& extent, int count) {
  std::vector<std::unique_ptr<Lab>> labs;
  std::vector<std::unique_ptr<Contender>> contenders;
  for (const Entrant& entrant : entrants()) {
    Lab& lab = *labs.emplace_back(std::make_unique<Lab>(GW_BINARY_DIR));
    prepare_devices(lab);
    entrant.prepare(lab, count);
    prepare_sink(lab, lab.web(), "10.1.1.10", "eth1");
    prepare_sink(lab, lab.data(), "10.1.2.10", "eth2");
    // Rule by rule each packet costs as much as there are rules.
    const uint32_t packets = entrant.linear ? extent.packets * 10 / static_cast<uint32_t>(count) : extent.packets;
    contenders.push_back(std::make_unique<Contender>(lab, packets, !entrant.linear));
  }
  for (const uint16_t size : extent.sizes) {
    for (const uint32_t flows : extent.flows) {
      std::vector<std::pair<std::string, std::function<double()>>> turns;
      for (size_t i = 0; i < contenders.size(); ++i)
        turns.emplace_back(entrants()[i].name, [&, i] { return contenders[i]->measure(flows, size); });
      report(
          interleave(fmt::format("forward, {} B, {} flows, {} rules", size, flows, count), "packets/s", kRounds, turns),
          bench_file());
    }
  }
}

}  // namespace
}  // namespace gw::test

int main(int argc, char** argv) {
  gw::test::Extent extent;
  CLI::App app("Forwarded packets per second, beside others.", "bench_forward");
  app.add_option("--rules", extent.rules, "Numbers of rules");
  app.add_option("--sizes", extent.sizes, "Sizes of frames");
  app.add_option("--flows", extent.flows, "Numbers of flows");
  app.add_option("--packets", extent.packets, "Packets of one burst");
  CLI11_PARSE(app, argc, argv);
  try {
    for (const int count : extent.rules) gw::test::bench_rules(extent, count);
  } catch (const std::exception& error) {
    std::cerr << "bench_forward: " << error.what() << "\n";
    return 1;
  }
}
