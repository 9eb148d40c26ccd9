// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/fast_world.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <ostream>
#include <stdexcept>
#include <system_error>

#include "tests/support/host.h"

namespace gw::test {
namespace {

constexpr const char* kHosts[][3] = {{"web0", kWebV4, "02:00:00:00:01:07"},
                                     {"web0", kWebV6, "02:00:00:00:01:07"},
                                     {"data0", kDataV4, "02:00:00:00:02:07"},
                                     {"data0", kDataV6, "02:00:00:00:02:07"}};

bpf::Map<gw_vlan_key, uint32_t> vlan_devices(const LoadedPolicy& policy) {
  return policy.map<gw_vlan_key, uint32_t>("gw_vlan_devices");
}

template <class T>
void must(const Result<T>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

}  // namespace

void must_ip(const std::string& words_of_it) {
  const Output output = run(words("ip " + words_of_it));
  if (!output.ok()) throw std::runtime_error(output.err);
}

void make_routes() {
  if (!run(words("sysctl -qw net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1")).ok())
    throw std::runtime_error("sysctl");
  must_ip("link set lo up");
  must_ip("link set data0 mtu " + std::to_string(kMtu));
  must_ip("address replace 10.1.1.1/24 dev web0");
  must_ip("address replace fd10:1:1::1/64 dev web0 nodad");
  must_ip("address replace 10.1.2.1/24 dev data0");
  must_ip("address replace fd10:1:2::1/64 dev data0 nodad");
  for (const auto& [device, address, mac] : kHosts)
    must_ip(std::string("neighbour replace ") + address + " lladdr " + mac + " nud permanent dev " + device);
}

void remove_routes() {
  for (const char* device : {"web0", "data0"}) {
    must_ip(std::string("address flush dev ") + device);
    must_ip(std::string("neighbour flush nud permanent dev ") + device);
  }
  must_ip("link set data0 mtu 1500");
}

void give_tags(const LoadedPolicy& policy) {
  for (const auto& [tag, device] : {std::pair{kWebTag, Device::web}, std::pair{kDataTag, Device::data}})
    must(vlan_devices(policy).put({kCard, tag}, index_of(device)));
}

void take_tags(const LoadedPolicy& policy) {
  for (const uint16_t tag : {kWebTag, kDataTag}) must(vlan_devices(policy).erase({kCard, tag}));
}

void put_fast_link(const LoadedPolicy& policy, Device device, uint16_t tag, uint32_t flags) {
  const auto links = policy.map<uint32_t, gw_link>("gw_links");
  const auto there = links.find(index_of(device));
  must(there);
  gw_link link = there->value();
  link.flags = (link.flags & ~(GW_LINK_FAST | GW_LINK_FAST_OUT)) | flags;
  link.out_ifindex = tag == 0 ? index_of(device) : kCard;
  link.out_vid = tag;
  const Bytes mac = {2, 0, 0, 0, 0, 1};  // that framed() sends to
  std::ranges::copy(mac, link.mac);
  must(links.put(index_of(device), link));
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << outcome.verdict << ' ' << std::hex;
  for (const uint8_t byte : outcome.frame) out << byte / 16 << byte % 16;
  return out << std::dec;
}

Outcome run_xdp(int program, const Bytes& frame) {
  Bytes out(frame.size() + 64);
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()), .data_size_out = static_cast<uint32_t>(out.size()),
              .repeat = 1);
  if (bpf_prog_test_run_opts(program, &options) != 0)
    throw std::system_error(errno, std::generic_category(), "BPF_PROG_TEST_RUN");
  out.resize(options.data_size_out);
  return {options.retval, out};
}

}  // namespace gw::test
