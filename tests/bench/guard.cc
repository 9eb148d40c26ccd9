// SPDX-License-Identifier: Apache-2.0
// How many hostile packets a second the guard gets rid of: ours in native XDP and at TC, and nftables at netdev ingress
// with a rule that drops the same frames. The packets come over a veth from a generator in the kernel; sender and
// receiver share one core, as a flood and its victim would share the card's. What an XDP program that drops without
// looking leaves of the rate is the sender's own cost: subtracted, it gives the net cost of a packet. Of a round the
// fastest of three bursts counts: one that other work on the machine interrupted tells nothing. What found the queue of
// the veth full is not counted: nobody looked at it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>

#include <iostream>
#include <memory>

#include "bpf/loader/dataplane.h"
#include "tests/support/bench.h"
#include "tests/support/flood.h"
#include "tests/support/must.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wireguard_message.h"

namespace gw::test {
namespace {

constexpr int kRounds = 9;
constexpr int kBursts = 3;
constexpr uint32_t kBurst = 400'000;  // of one call, whose own cost is some 20 ms
constexpr const char* kAddress = "5.5.5.1";
constexpr const char* kDevice = "gw0";

/// A gateway's public card and the cable that the flood comes by.
struct Site {
  Site() { connect(sender, "snd0", gateway, kDevice); }
  Host sender{"sender"};
  Host gateway{"gateway"};
  [[nodiscard]] Flood::Target target() const {
    return {.sender = sender,
            .sender_device = "snd0",
            .gateway = gateway,
            .gateway_device = kDevice,
            .address = kAddress,
            .port = kWireGuardPort};
  }
  void attach_xdp(int program) const {
    gateway.in([&] {
      const int status =
          bpf_xdp_attach(static_cast<int>(if_nametoindex(kDevice)), program, XDP_FLAGS_DRV_MODE, nullptr);
      if (status != 0) throw std::runtime_error("cannot attach in native XDP: " + std::to_string(status));
    });
  }
};

/// The programs, with one address and one key, on a bpffs of their own.
class Guard {
 public:
  Guard() : bpffs_("/tmp") {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      throw std::runtime_error("unshare");
    if (::mount("bpf", bpffs_.path().c_str(), "bpf", 0, "mode=0700") != 0) throw std::runtime_error("mount bpffs");
    pins_ = bpffs_.path() + "/bench/abi";
    dataplane_ = std::make_unique<bpf::Dataplane>(must(bpf::Dataplane::open(pins_)));
    must(dataplane_->put_host(IpAddress::parse(kAddress).value(), {.flags = GW_HOST_GATEWAY}));
    must(dataplane_->put_guard({.port = kWireGuardPort, .public_key = some_key(1)}));
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    dataplane_.reset();
    ::umount2(bpffs_.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] UniqueFd xdp() const { return UniqueFd(bpf_obj_get((pins_ + "/program_guard_xdp").c_str())); }
  void attach_tc(const Site& site) {
    site.gateway.in(
        [&] { must(dataplane_->attach({.ifindex = if_nametoindex(kDevice), .hook = bpf::Hook::guard_ingress})); });
  }
  [[nodiscard]] uint64_t dropped() const {
    uint64_t out = 0;
    for (const uint64_t count : must(dataplane_->reasons())) out += count;
    return out;
  }

 private:
  TempDir bpffs_;
  std::string pins_;
  std::unique_ptr<bpf::Dataplane> dataplane_;
};

struct Burst {
  uint64_t taken = 0;  ///< what the receiver looked at
  double seconds = 0;
};

Burst send_burst(const Flood& flood, const Site& site) {
  const auto lost = [&] {
    return std::stoull(site.gateway.must(std::string("cat /sys/class/net/") + kDevice + "/statistics/rx_dropped"));
  };
  const uint64_t before = lost();
  const auto start = std::chrono::steady_clock::now();
  flood.send(kBurst);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return {kBurst - (lost() - before), took.count()};
}

/// Packets a second through one receiver.
double rate(const Flood& flood, const Site& site) {
  double fastest = 0;
  for (int i = 0; i < kBursts; ++i) {
    const Burst burst = send_burst(flood, site);
    fastest = std::max(fastest, static_cast<double>(burst.taken) / burst.seconds);
  }
  return fastest;
}

/// The same, and none may get past the guard.
double guarded_rate(const Flood& flood, const Site& site, const Guard& guard) {
  double fastest = 0;
  for (int i = 0; i < kBursts; ++i) {
    const uint64_t before = guard.dropped();
    const Burst burst = send_burst(flood, site);
    const uint64_t dropped = guard.dropped() - before;
    if (dropped < burst.taken * 99 / 100)
      throw std::runtime_error("only " + std::to_string(dropped) + " packets met the guard");
    fastest = std::max(fastest, static_cast<double>(burst.taken) / burst.seconds);
  }
  return fastest;
}

void report_net_cost(const std::string& name, double rate, double sender) {
  std::cout << "    net cost of a packet, " << name << ": " << 1e9 / rate - 1e9 / sender << " ns\n";
}

void bench(Flood::Kind kind, const std::string& name, uint16_t udp_length) {
  Guard guard;
  const Site xdp, tc, nftables, sink;
  const UniqueFd program = guard.xdp();
  xdp.attach_xdp(program.get());
  guard.attach_tc(tc);
  nftables.gateway.must(Arguments{
      "nft", std::string("add table netdev guard; add chain netdev guard in { type filter hook ingress device ") +
                 kDevice + " priority 0; }; add rule netdev guard in ip daddr " + kAddress + " udp dport " +
                 std::to_string(kWireGuardPort) + " udp length " + std::to_string(udp_length) + " drop"});
  const Flood to_xdp(xdp.target(), kind), to_tc(tc.target(), kind), to_nftables(nftables.target(), kind),
      to_sink(sink.target(), kind);
  sink.attach_xdp(to_sink.sink());

  const Figure figure =
      interleave("guard, " + name, "packets/s", kRounds,
                 {{"ours", [&] { return guarded_rate(to_xdp, xdp, guard); }},
                  {"ours at TC", [&] { return guarded_rate(to_tc, tc, guard); }},
                  {"nftables, netdev ingress", [&] { return rate(to_nftables, nftables); }},
                  {"XDP that drops unseen (the sender's own cost)", [&] { return rate(to_sink, sink); }}});
  report(figure, bench_file());
  const double sender = median(figure.peers.at("XDP that drops unseen (the sender's own cost)"));
  report_net_cost("ours in XDP", median(figure.ours), sender);
  report_net_cost("ours at TC", median(figure.peers.at("ours at TC")), sender);
  report_net_cost("nftables", median(figure.peers.at("nftables, netdev ingress")), sender);
}

void bench_guard() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) throw std::runtime_error("sched_setaffinity");
  bench(Flood::Kind::garbage, "garbage, 60 B", 8 + 18);
  bench(Flood::Kind::initiations, "forged initiations, 190 B", 8 + 148);
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_guard();
  } catch (const std::exception& error) {
    std::cerr << "bench_guard: " << error.what() << "\n";
    return 1;
  }
}
