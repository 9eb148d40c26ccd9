// SPDX-License-Identifier: Apache-2.0
// Any bytes as a frame through both entries of the guard, loaded into this kernel, beside the reference in C++. A
// header that leads to the gateway is put in front of half of them, and a right mac1 into some. Needs root.
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bpf/loader/dataplane.h"
#include "gatewayd/base/fd.h"
#include "tests/support/guard_reference.h"
#include "tests/support/must.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wireguard_message.h"

namespace gw::test {
namespace {

constexpr const char* kOursV4 = "203.0.113.1";
constexpr const char* kOursV6 = "2001:db8::1";

class Loaded {
 public:
  Loaded() {
    // Whatever ends this, the mount ends with it.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) std::abort();
    if (::mount("bpf", directory_.path().c_str(), "bpf", 0, "mode=0700") != 0) std::abort();
    const std::string pins = directory_.path() + "/fuzz/abi";
    dataplane_ = std::make_unique<bpf::Dataplane>(must(bpf::Dataplane::open(pins)));
    scene_.public_key = some_key(1);
    for (const char* text : {kOursV4, kOursV6}) {
      const IpAddress address = IpAddress::parse(text).value();
      scene_.ours.insert(address);
      must(dataplane_->put_host(address, {.flags = GW_HOST_GATEWAY}));
    }
    for (const char* text : {"198.51.100.0/24", "2001:db8:bad::/48"}) {
      scene_.blocks[*Prefix::parse(text)] = UINT64_MAX;
      must(dataplane_->put_block(*Prefix::parse(text), UINT64_MAX));
    }
    must(dataplane_->put_guard({.port = scene_.port, .public_key = scene_.public_key}));
    xdp_.reset(bpf_obj_get((pins + "/program_guard_xdp").c_str()));
    tc_.reset(bpf_obj_get((pins + "/program_guard_ingress").c_str()));
    if (!xdp_.valid() || !tc_.valid()) std::abort();
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() { ::umount2(directory_.path().c_str(), MNT_DETACH); }

  [[nodiscard]] const GuardScene& scene() const { return scene_; }

  void check(const Bytes& frame) const {
    check(frame, xdp_.get(), false, XDP_DROP, XDP_PASS);
    check(frame, tc_.get(), true, TC_ACT_SHOT, static_cast<uint32_t>(TC_ACT_UNSPEC));
  }

 private:
  void check(const Bytes& frame, int program, bool assembled, uint32_t drop, uint32_t pass) const {
    Bytes out(frame.size() + 256);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .data_size_out = static_cast<uint32_t>(out.size()),
                .repeat = 1);
    if (bpf_prog_test_run_opts(program, &options) != 0) return;  // a test run takes no frame without its IP header
    const gw_reason expected = guard_reference(frame, scene_, assembled);
    out.resize(options.data_size_out);
    if (options.retval == (expected == GW_REASON_NONE ? pass : drop) && out == frame) return;
    std::fprintf(stderr, "%s: verdict %u, the reference says reason %d\n", assembled ? "TC" : "XDP", options.retval,
                 static_cast<int>(expected));
    std::abort();
  }

  TempDir directory_;
  GuardScene scene_;
  std::unique_ptr<bpf::Dataplane> dataplane_;
  UniqueFd xdp_, tc_;
};

Bytes frame_of(const Bytes& input, const GuardScene& scene) {
  const uint8_t how = input.front();
  const Bytes rest(input.begin() + 1, input.end());
  const char* from = (how & 8U) != 0 ? "198.51.100.7" : "192.0.2.7";
  switch (how & 7U) {
    case 0:
      return rest;
    case 1: {  // an IPv4 header to us, all behind it as it comes
      Bytes ip = (ipv4(from, kOursV4) / protocol(17)).layer3();
      ip.resize(20);
      ip.insert(ip.end(), rest.begin(), rest.end());
      ip[2] = static_cast<uint8_t>(ip.size() >> 8U);
      ip[3] = static_cast<uint8_t>(ip.size());
      return framed(ip);
    }
    case 2: {  // an IPv6 header to us, the next header and all behind it as they come
      Bytes ip = (ipv6("2001:db8:1::7", kOursV6) / protocol(17)).layer3();
      ip.resize(40);
      ip.insert(ip.end(), rest.begin(), rest.end());
      ip[4] = static_cast<uint8_t>(rest.size() >> 8U);
      ip[5] = static_cast<uint8_t>(rest.size());
      ip[6] = std::array<uint8_t, 8>{17, 0, 60, 43, 44, 17, 6, 58}.at(how >> 5U);
      return framed(ip);
    }
    case 3: {  // a handshake with a right mac1, and bytes of it changed
      Bytes message = (how & 16U) != 0 ? initiation(scene.public_key) : response(scene.public_key);
      for (size_t i = 0; i + 1 < rest.size(); i += 2) message.at(rest[i] % message.size()) ^= rest[i + 1];
      return (ipv4(from, kOursV4) / udp(scene.port).carrying(message)).ethernet();
    }
    default:
      return (ipv6("2001:db8:1::7", kOursV6) / udp(scene.port).carrying(rest)).ethernet({how});
  }
}

}  // namespace
}  // namespace gw::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const gw::test::Loaded loaded;
  if (size == 0 || size > 2000) return 0;
  const gw::test::Bytes frame = gw::test::frame_of({data, data + size}, loaded.scene());
  if (frame.size() >= 14) loaded.check(frame);
  return 0;
}
