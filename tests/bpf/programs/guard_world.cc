// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/guard_world.h"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

#include <system_error>

#include "bpf/reasons.h"

namespace gw::test {

GuardWorld::GuardWorld() {
  put_guard(0);
  programs_[0].reset(bpf_obj_get((policy->directory() + "/program_guard_xdp").c_str()));
  programs_[1].reset(bpf_obj_get((policy->directory() + "/program_guard_ingress").c_str()));
}

GuardWorld::~GuardWorld() {
  auto& dataplane = policy->dataplane();
  const bpf::Blocks blocks = dataplane.blocks().value();
  for (const auto& [prefix, until] : blocks) EXPECT_TRUE(dataplane.erase_block(prefix));
  const auto initiators = policy->map<gw_addr, gw_source>("gw_initiators");
  const auto sources = initiators.all().value();
  for (const auto& [address, source] : sources) EXPECT_TRUE(initiators.erase(address));
}

void GuardWorld::put_guard(uint32_t initiations) {
  EXPECT_TRUE(policy->dataplane().put_guard({.port = kWireGuardPort, .initiations = initiations, .public_key = key}));
}

gw_reason GuardWorld::run(const Bytes& frame, Guarded entry, uint32_t segment) {
  const auto before = policy->dataplane().reasons().value();
  Bytes out(frame.size() + 256);
  __sk_buff skb{};
  skb.gso_size = segment;
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()), .data_size_out = static_cast<uint32_t>(out.size()),
              .repeat = 1);
  if (entry == Guarded::tc) {
    options.ctx_in = &skb;
    options.ctx_size_in = sizeof skb;
  }
  if (bpf_prog_test_run_opts(programs_[entry == Guarded::xdp ? 0 : 1].get(), &options) != 0)
    throw std::system_error(errno, std::generic_category(), "BPF_PROG_TEST_RUN");
  const bool dropped = options.retval == (entry == Guarded::xdp ? uint32_t{XDP_DROP} : uint32_t{TC_ACT_SHOT});
  const uint32_t on = entry == Guarded::xdp ? uint32_t{XDP_PASS} : static_cast<uint32_t>(TC_ACT_UNSPEC);
  EXPECT_TRUE(dropped || options.retval == on) << options.retval;
  out.resize(options.data_size_out);
  EXPECT_EQ(out, frame) << "the guard changes nothing";
  const auto after = policy->dataplane().reasons().value();
  for (uint32_t reason = 0; reason < after.size(); ++reason) {
    if (after[reason] == before[reason]) continue;
    EXPECT_TRUE(dropped) << "counted, but not dropped: " << bpf::kReasonTexts.at(reason);
    return static_cast<gw_reason>(reason);
  }
  EXPECT_FALSE(dropped) << "dropped, but not counted";
  return GW_REASON_NONE;
}

gw_reason GuardWorld::run(const Bytes& frame) {
  const gw_reason xdp = run(frame, Guarded::xdp);
  EXPECT_EQ(run(frame, Guarded::tc), xdp) << "TC and XDP differ";
  return xdp;
}

Packet to_gateway(const Bytes& message, const char* from) {
  return ipv4(from, kPublicV4) / udp(kWireGuardPort).carrying(message);
}

Packet to_gateway_v6(const Bytes& message, const char* from) {
  return ipv6(from, kPublicV6) / udp(kWireGuardPort).carrying(message);
}

}  // namespace gw::test
