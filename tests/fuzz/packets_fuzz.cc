// SPDX-License-Identifier: Apache-2.0
// Any bytes, as packets on any side of the gateway: the loaded programs (vpn_ingress, subnet_ingress, vpn_egress) and
// the model come to the same verdict for the same reason, packet after packet. Frames of the two subnets go through
// xdp_ingress before: what it forwards the policy must allow, and what it does not it must leave as it is.
//
// An input is a list of packets: a byte that says where it is seen, its length in two bytes, the bytes. Needs root.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <span>
#include <system_error>

#include "tests/bpf/programs/fast_world.h"
#include "tests/bpf/programs/model_standard.h"

namespace gw::test {
namespace {

constexpr uint8_t kWrapped = 0x80;  // an IP packet, to be put into a frame where the side is Ethernet
constexpr size_t kMostPackets = 8;

LoadedPolicy* fresh() {
  auto* const out = LoadedPolicy::standard();
  out->edit_state([](gw_state& state) { state.flow_rate = 0; });
  for (const Device device : {Device::web, Device::data}) put_fast_link(*out, device, 0);
  give_tags(*out);
  return out;
}

Entry side(uint8_t control) {
  constexpr std::array kDevices = {Device::vpn, Device::web, Device::data, Device::uplink, Device::stray};
  const uint8_t which = control & 0x0fU;
  if (which >= kDevices.size())
    return {.hook = bpf::Hook::vpn_egress, .device = Device::vpn, .entered = kDevices.at(which % kDevices.size())};
  const Device device = kDevices.at(which);
  return {.hook = device == Device::vpn ? bpf::Hook::vpn_ingress : bpf::Hook::subnet_ingress, .device = device};
}

/// The program's verdict; nullopt when the kernel refuses to make such a packet for a test run.
std::optional<Verdict> run(LoadedPolicy& policy, const Bytes& bytes, const Entry& where) {
  try {
    return policy.run(bytes, where);
  } catch (const std::system_error& error) {
    if (error.code().value() != EINVAL) throw;
    return std::nullopt;
  }
}

[[noreturn]] void fail(const std::string& what, uint8_t control, const Bytes& bytes) {
  std::cerr << what << "\nside " << int{control} << ": ";
  for (const uint8_t byte : bytes) fprintf(stderr, "%02x", byte);
  std::cerr << std::endl;
  std::abort();
}

/// The frame as it comes to the card with the tag of its VLAN instead of none, or of VID 0.
Bytes tagged(const Bytes& frame, uint16_t tag) {
  constexpr ptrdiff_t kAddresses = 12;
  const Bytes head = {0x81, 0, static_cast<uint8_t>(tag >> 8U), static_cast<uint8_t>(tag)};
  const bool has_tag = frame.size() > 16 && frame[12] == head[0] && frame[13] == head[1];
  Bytes out(frame.begin(), frame.begin() + kAddresses);
  out.insert(out.end(), head.begin(), head.end());
  out.insert(out.end(), frame.begin() + kAddresses + (has_tag ? 4 : 0), frame.end());
  return out;
}

/// Whether the fast path forwards the frame.
bool forwards(const LoadedPolicy& policy, uint8_t control, const Bytes& frame, Device device) {
  constexpr size_t kEthernet = 14;
  static const UniqueFd program(bpf_obj_get((policy.directory() + "/program_xdp_ingress").c_str()));
  if (frame.size() < kEthernet || (device != Device::web && device != Device::data)) return false;
  const Bytes arrives = tagged(frame, device == Device::web ? kWebTag : kDataTag);
  const Outcome outcome = run_xdp(program.get(), arrives);
  if (outcome.verdict == XDP_REDIRECT) return true;
  if (outcome.verdict != XDP_PASS || outcome.frame != arrives)
    fail("xdp_ingress: verdict " + std::to_string(outcome.verdict) + ", or another frame", control, arrives);
  return false;
}

void compare(LoadedPolicy& policy, model::Gateway& gateway, uint8_t control, Bytes bytes) {
  const Entry where = side(control);
  if ((control & kWrapped) != 0 && !bytes.empty() && where.hook == bpf::Hook::subnet_ingress)
    bytes = framed(bytes, {0});
  const bool fast = where.hook == bpf::Hook::subnet_ingress && forwards(policy, control, bytes, where.device);
  const auto actual = run(policy, bytes, where);
  if (!actual) return;
  const Verdict expected = gateway.see(bytes, where);
  if (*actual != expected) {
    std::cerr << "program: " << *actual << "\nmodel:   " << expected << std::endl;
    fail("they differ", control, bytes);
  }
  if (fast && expected != kAllowed) fail("the fast path forwards what the policy does not", control, bytes);
}

}  // namespace
}  // namespace gw::test

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  // What is made and mounted goes with the process, however it ends.
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", "/mnt", "tmpfs", 0, nullptr) != 0 || setenv("TMPDIR", "/mnt", 1) != 0) {
    perror("fuzz_packets needs root");
    std::exit(1);
  }
  testing::FLAGS_gtest_break_on_failure = true;
  gw::test::begin_world();
  gw::test::make_routes();
  // A process with libFuzzer's threads cannot go back to the namespace it came from, as the end of a test program does.
  std::atexit([] { std::_Exit(0); });
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gw::test;
  static LoadedPolicy* policy = fresh();
  model::Gateway gateway = model::standard_gateway();
  std::span<const uint8_t> rest(data, size);
  for (size_t count = 0; count < kMostPackets && rest.size() > 3; ++count) {
    const size_t length = std::min<size_t>(size_t{rest[1]} | size_t{rest[2]} << 8U, rest.size() - 3);
    compare(*policy, gateway, rest[0], Bytes(rest.begin() + 3, rest.begin() + 3 + static_cast<ptrdiff_t>(length)));
    rest = rest.subspan(3 + length);
  }
  if (!gateway.remembers_nothing()) policy = fresh();
  return 0;
}
