// SPDX-License-Identifier: Apache-2.0
// Nanoseconds of the policy program for a packet that comes out of the tunnel: of an established flow, one that opens
// an allowed flow, and a denied one, at 10 to 100,000 clients and 10 to 10,000 rules.
//
// Measured by BPF_PROG_TEST_RUN on the pinned program. A test run repeats one packet, so driver.bpf.c makes each
// repetition a packet of another client, in a scattered order over all of them, and every packet that opens a flow has
// a port or server of its own. What the driver takes with an empty program behind it is subtracted. Every packet of
// another client than the one before is the worst case for the caches; real traffic comes in bursts.
#include <bpf/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>

#include "bpf/driver.skel.h"
#include "bpf/loader/dataplane.h"
#include "bpf/loader/map.h"
#include "gatewayd/base/fd.h"
#include "gatewayd/policy/compile.h"
#include "tests/support/bench.h"
#include "tests/support/big_policy.h"
#include "tests/support/must.h"
#include "tests/support/namespace.h"
#include "tests/support/packet.h"
#include "tests/support/policy_text.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

constexpr int kRounds = 7;
constexpr uint32_t kPackets = 100'000;  // a run: each of 100,000 clients once
constexpr uint32_t kLeastWarmUp = 20'000;
constexpr size_t kFewActive = 1'000;
constexpr std::array<size_t, 3> kClients = {10, 1'000, 100'000};
constexpr std::array<size_t, 3> kRules = {10, 1'000, 10'000};
constexpr size_t kGroups = 100;
constexpr size_t kSubnets = 50;
constexpr uint32_t kStride = 7919;  // a prime: reaches every client
constexpr const char* kTunnel = "vpn0";
constexpr const char* kSubnet = "eth0";  // of subnet s0
constexpr const char* allowed = "allowed";
constexpr uint16_t allowedPort = 443;
constexpr uint16_t kDeniedPort = 22;

struct Size {
  size_t clients;
  size_t rules;
};

struct Traffic {
  const char* name;
  uint16_t port;
  uint8_t flags;
  bool new_flows;
};
constexpr Traffic kEstablished = {"established", allowedPort, kAck, false};
constexpr Traffic kOpening = {"new allowed", allowedPort, kSyn, true};
constexpr Traffic kDenied = {"denied", kDeniedPort, kSyn, true};

/// The counters that tell whether packets met what they were to meet.
struct Counts {
  uint64_t passed, flows, denied;
};

enum Target : uint32_t { kPolicy, kNothing, kReplies };

/// A gateway of some size, with an established flow of every client.
class Gateway {
 public:
  Gateway(const std::string& pins, const Size& size)
      : size_(size), dataplane_(must(bpf::Dataplane::open(pins))), driver_(gw_driver__open_and_load()) {
    if (!driver_) throw std::runtime_error("cannot load the driver");
    install();
    set_target(kPolicy, pin(pins + "/program_vpn_ingress").get());
    set_target(kReplies, pin(pins + "/program_subnet_ingress").get());
    set_target(kNothing, bpf_program__fd(driver_->progs.nothing));
    allow_any_rate(pin(pins + "/gw_state").get());
    establish();
    measure(kOpening, size.clients);  // from here on the table of new flows is full
  }

  /// Of the policy program alone, when `active` of the clients send.
  double measure(const Traffic& traffic, size_t active) {
    driver_->data->active = static_cast<uint32_t>(active);
    driver_->data->spacing = static_cast<uint32_t>(size_.clients / active);
    driver_->data->server_port = traffic.port;
    driver_->bss->new_flows = traffic.new_flows ? 1 : 0;
    const Bytes packet = packet_of(traffic.flags).layer3();
    const Counts before = counts();
    const auto warm_up = std::max<uint32_t>(kLeastWarmUp, static_cast<uint32_t>(active));
    run(packet, kTunnel, kPolicy, warm_up);
    const double policy = run(packet, kTunnel, kPolicy, kPackets);
    check(traffic, warm_up + kPackets, before, counts());
    return policy - run(packet, kTunnel, kNothing, kPackets);
  }

 private:
  struct Destroy {
    void operator()(gw_driver* driver) const { gw_driver__destroy(driver); }
  };

  static UniqueFd pin(const std::string& path) {
    UniqueFd fd(bpf_obj_get(path.c_str()));
    if (!fd.valid()) throw std::runtime_error("cannot open " + path);
    return fd;
  }

  static Packet packet_of(uint8_t flags) { return ipv4("172.16.0.4", "10.0.0.1") / tcp(allowedPort).with(flags); }

  void install();
  void establish();

  void set_target(Target target, int program) {
    const uint32_t key = target;
    if (bpf_map_update_elem(bpf_map__fd(driver_->maps.targets), &key, &program, BPF_ANY) != 0)
      throw std::system_error(errno, std::generic_category(), "tail call");
  }

  /// The bucket of new flows is kept for every source, but never runs over.
  static void allow_any_rate(int state_fd) {
    const bpf::Map<uint32_t, gw_state> states(state_fd, "gw_state");
    gw_state state = must(states.find(0)).value();
    state.flow_rate = 1'000'000'000;
    must(states.put(0, state));
  }

  double run(const Bytes& packet, const char* device, Target target, uint32_t repeat) {
    driver_->bss->target = target;
    driver_->bss->replies = target == kReplies ? 1 : 0;
    __sk_buff skb{};
    skb.ifindex = skb.ingress_ifindex = if_nametoindex(device);
    Bytes out(packet.size() + 64);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(), .data_out = out.data(),
                .data_size_in = static_cast<uint32_t>(packet.size()),
                .data_size_out = static_cast<uint32_t>(out.size()), .ctx_in = &skb, .ctx_size_in = sizeof skb,
                .repeat = static_cast<int>(repeat));
    if (bpf_prog_test_run_opts(bpf_program__fd(driver_->progs.drive), &options) != 0)
      throw std::system_error(errno, std::generic_category(), "BPF_PROG_TEST_RUN");
    return options.duration;
  }

  [[nodiscard]] Counts counts() const {
    const bpf::Counter rule = must(dataplane_.rule_counter(allowed_rule_));
    return {rule.packets, rule.flows, must(dataplane_.reasons()).at(GW_REASON_DEFAULT)};
  }

  static void check(const Traffic& traffic, uint64_t all, const Counts& before, const Counts& after) {
    const bool denied = traffic.port == kDeniedPort;
    if (after.passed - before.passed != (denied ? 0 : all) || after.denied - before.denied != (denied ? all : 0) ||
        after.flows - before.flows != (traffic.new_flows && !denied ? all : 0)) {
      throw std::runtime_error(std::string(traffic.name) + ": of " + std::to_string(all) + " packets " +
                               std::to_string(after.passed - before.passed) + " passed, " +
                               std::to_string(after.flows - before.flows) + " opened a flow, " +
                               std::to_string(after.denied - before.denied) + " were denied");
    }
  }

  Size size_;
  bpf::Dataplane dataplane_;
  std::unique_ptr<gw_driver, Destroy> driver_;
  uint32_t allowed_rule_ = 0;
};

/// The rule that allows comes last.
void Gateway::install() {
  config::Config config = big_network(kGroups, kSubnets);
  add_group_rules(config, size_.rules - 1, 1);
  config.rules.push_back(rule(allowed, "allow vpn -> subnet:s0 tcp/" + std::to_string(allowedPort)));
  const auto facts = big_clients(config, size_.clients, 1, 2);
  policy::Interner interner;
  const policy::Compiled compiled = must(policy::compile(config, facts, interner));
  allowed_rule_ = interner.rule(allowed);
  bpf::Hosts hosts;
  for (uint32_t i = 0; i < facts.size(); ++i) {
    hosts[facts[i].address] = {
        .class_id = compiled.class_of(facts[i]).value(), .client = i + 1, .flags = GW_HOST_CLIENT};
  }
  must(dataplane_.put_link(if_nametoindex(kTunnel), {GW_LINK_ID_VPN, GW_LINK_VPN, {}}));
  must(dataplane_.put_link(if_nametoindex(kSubnet), {policy::link_ids(config, interner).at(kSubnet), 0, {}}));
  must(dataplane_.install(compiled.image, hosts));
  const auto address = facts.front().address.mapped();
  driver_->bss->first_client =
      uint32_t{address[12]} << 24U | uint32_t{address[13]} << 16U | address[14] << 8U | address[15];
  driver_->bss->subnet = uint32_t{10} << 24U;
}

/// A packet of every client and the reply to it; in parts, since flows without a reply have a smaller table.
void Gateway::establish() {
  constexpr uint32_t kPart = 20'000;
  driver_->data->stride = 1;
  driver_->data->active = static_cast<uint32_t>(size_.clients);
  for (uint32_t start = 0; start < size_.clients; start += kPart) {
    const uint32_t count = std::min<uint32_t>(kPart, static_cast<uint32_t>(size_.clients) - start);
    for (const Target target : {kPolicy, kReplies}) {
      driver_->bss->sent = start;
      const Packet packet = packet_of(kAck);
      run(target == kReplies ? packet.ethernet() : packet.layer3(), target == kReplies ? kSubnet : kTunnel, target,
          count);
    }
  }
  driver_->data->stride = kStride;
}

/// One CPU, since the tables keep free elements by CPU.
void stay_on_one_cpu() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) last = cpu;
  }
  CPU_ZERO(&allowed);
  CPU_SET(last, &allowed);
  sched_setaffinity(0, sizeof allowed, &allowed);
}

/// A gateway under some traffic, and what was measured.
struct Cell {
  Size size;
  size_t active;
  Gateway* gateway;
  std::vector<double> values;
};

std::string name_of(const Traffic& traffic, const Cell& cell) {
  std::string out = std::string("policy, ") + traffic.name + ", " + std::to_string(cell.size.clients) + " clients";
  if (cell.active != cell.size.clients) out += ", " + std::to_string(cell.active) + " active";
  return out + ", " + std::to_string(cell.size.rules) + " rules";
}

/// A figure for every cell, beside the same at the least rules and at the least clients: flat is 1.
void report_all(const Traffic& traffic, const std::vector<Cell>& cells) {
  const auto at = [&](size_t clients, size_t active, size_t rules) -> const std::vector<double>& {
    return std::ranges::find_if(cells,
                                [&](const Cell& cell) {
                                  return cell.size.clients == clients && cell.active == active &&
                                         cell.size.rules == rules;
                                })
        ->values;
  };
  for (const Cell& cell : cells) {
    const auto [clients, rules] = cell.size;
    Figure figure{name_of(traffic, cell), "ns", cell.values, {}};
    if (rules != kRules.front()) figure.peers["10 rules"] = at(clients, cell.active, kRules.front());
    if (clients != kClients.front()) figure.peers["10 clients"] = at(kClients.front(), kClients.front(), rules);
    report(figure, bench_file());
  }
}

void measure_all(const Traffic& traffic, std::vector<Cell>& cells) {
  for (Cell& cell : cells) cell.values.clear();
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < cells.size(); ++i) {
      Cell& cell = cells[(i + static_cast<size_t>(round)) % cells.size()];
      cell.values.push_back(cell.gateway->measure(traffic, cell.active));
    }
  }
  report_all(traffic, cells);
}

void bench_policy() {
  const Namespace scene;
  const TempDir pins;
  if (::mount("bpf", pins.path().c_str(), "bpf", 0, "mode=0700") != 0)
    throw std::system_error(errno, std::generic_category(), "mount bpffs");
  must(std::string("ip link add ") + kTunnel + " type veth peer name " + kSubnet);
  std::vector<std::unique_ptr<Gateway>> gateways;
  std::vector<Cell> cells;
  for (const size_t clients : kClients) {
    for (const size_t rules : kRules) {
      const Size size{clients, rules};
      gateways.push_back(std::make_unique<Gateway>(pins / std::to_string(gateways.size()) + "/abi", size));
      cells.push_back({size, clients, gateways.back().get(), {}});
      if (clients == kClients.back()) cells.push_back({size, kFewActive, gateways.back().get(), {}});
    }
  }
  for (const Traffic& traffic : {kEstablished, kOpening, kDenied}) measure_all(traffic, cells);
  gateways.clear();
  ::umount2(pins.path().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::stay_on_one_cpu();
    gw::test::bench_policy();
  } catch (const std::exception& error) {
    std::cerr << "bench_policy: " << error.what() << "\n";
    return 1;
  }
}
