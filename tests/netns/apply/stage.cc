// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/apply/stage.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "gatewayd/apply/linux_sysctl.h"

namespace gw::test {
namespace {

/// Someone's classifier of one classic BPF instruction, which matches every packet.
void add_filter(const char* device, const char* direction, const char* priority) {
  must(Arguments{"tc", "filter", "add", "dev", device, direction, "pref", priority, "bpf", "bytecode",
                 "1,6 0 0 4294967295", "flowid", "1:1"});
}

}  // namespace

LinuxStage::LinuxStage() {
  std::filesystem::create_directory(run_directory());
  std::filesystem::create_directory(bpffs());
  // Mounted in the namespace of this test alone: it goes with it.
  if (::mount("bpf", bpffs().c_str(), "bpf", 0, "mode=700") != 0) {
    throw std::system_error(errno, std::generic_category(), "mount bpffs");
  }
  for (const char* device : {"eth0", "eth1"}) {
    must(std::string("ip link add ") + device + " type veth peer name " + device + "p");
    must(std::string("ip link set ") + device + " up");
    must(std::string("ip link set ") + device + "p up");
  }
  must("ip address add 198.51.100.1/24 dev eth0");
  restart();
}

LinuxStage::~LinuxStage() {
  kernel_.reset();
  ::umount2(bpffs().c_str(), MNT_DETACH);
}

void LinuxStage::restart() {
  kernel_.reset();
  auto opened =
      apply::LinuxKernel::open({.instance = "contract", .run_directory = run_directory(), .bpffs = bpffs()}, clock_);
  if (!opened) throw std::runtime_error(opened.error().message());
  kernel_ = std::move(*opened);
}

void LinuxStage::by_hand(const Edit& edit) {
  switch (edit.kind) {
    case Edit::Kind::delete_address:
      must("ip address del " + edit.object + " dev " + edit.device);
      break;
    case Edit::Kind::remove_peer:
      must("wg set " + edit.device + " peer " + edit.object + " remove");
      break;
    case Edit::Kind::detach:
      must("tc filter del dev " + edit.device + " ingress");
      break;
    case Edit::Kind::flush_firewall:
      must("nft flush ruleset");
      break;
    case Edit::Kind::drop_rule:
      must("nft flush chain inet gatewayd forward");
      break;
    case Edit::Kind::set_sysctl:
      if (auto written = apply::write_sysctl(edit.object, edit.value); !written)
        throw std::runtime_error(written.error().message());
      break;
    case Edit::Kind::delete_route:
      must("ip route del " + edit.object);
      break;
    case Edit::Kind::delete_link:
      must("ip link del " + edit.device);
      break;
    case Edit::Kind::link_down:
      must("ip link set " + edit.device + " down");
      break;
  }
}

void LinuxStage::add_foreign() {
  must("ip link add foreign0 type veth peer name foreign0p");
  must("ip link set foreign0 up");
  must("ip link set foreign0p up");
  must("ip address add 203.0.113.1/24 dev foreign0");
  must("ip address add 10.1.1.77/32 dev eth1");
  must("ip route add 192.0.2.0/24 via 203.0.113.2 dev foreign0");
  must("ip route add 10.1.0.0/16 dev eth1");
  must("ip rule add from 203.0.113.0/24 lookup 77");
  must("tc qdisc add dev foreign0 clsact");
  add_filter("foreign0", "ingress", "1");
  must("tc qdisc add dev eth1 clsact");
  add_filter("eth1", "egress", "7");
  add_filter("eth1", "ingress", "700");
  must(Arguments{"nft", "-f", "-"},
       "table inet theirs { chain input { type filter hook input priority 10; policy accept; tcp dport 22 "
       "accept\n}\n}\n");
}

std::string LinuxStage::foreign() {
  // IPv4 alone: link-local addresses pass from tentative to valid on their own.
  return must("ip -4 -o address show dev foreign0") + must("ip -4 -o address show dev eth0") +
         must("ip -o address show to 10.1.1.77") + must("ip route show proto boot") + must("ip rule show") +
         must("tc filter show dev foreign0 ingress") + must("tc filter show dev eth1 egress") +
         must("tc filter show dev eth1 ingress pref 700") + must("nft -s list table inet theirs");
}

}  // namespace gw::test
