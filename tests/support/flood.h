// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "bpf/flood.skel.h"
#include "gatewayd/base/fd.h"
#include "tests/support/host.h"

namespace gw::test {

/// Garbage and forged handshake initiations on the cable to a gateway, out of the kernel (tests/bench/flood.bpf.c). The
/// two devices are the ends of one veth pair; the sender's side needs no address.
class Flood {
 public:
  struct Target {
    const Host& sender;
    std::string sender_device;
    const Host& gateway;
    std::string gateway_device;
    std::string address;  ///< IPv4, the gateway's
    uint16_t port = 51820;
    uint32_t sources = 65536;  ///< addresses from 100.64.0.0 on
  };
  enum class Kind : uint8_t { mixed, initiations, garbage };

  Flood(const Target& target, Kind kind) : host_(target.sender), kind_(kind), program_(gw_flood__open_and_load()) {
    if (program_ == nullptr) throw std::runtime_error("cannot load the flood");
    set_mac(program_->bss->destination_mac, target.gateway, target.gateway_device);
    set_mac(program_->bss->source_mac, target.sender, target.sender_device);
    program_->bss->destination = inet_addr(target.address.c_str());
    program_->bss->first_source = 0x64400000;  // 100.64.0.0, RFC 6598
    program_->data->sources = target.sources;
    program_->bss->port = htons(target.port);
    program_->bss->mixed = kind == Kind::mixed ? 1 : 0;
    target.sender.in([&] { ifindex_ = if_nametoindex(target.sender_device.c_str()); });
    // A veth takes frames of XDP only while it polls, and it does with GRO.
    target.gateway.in([&] { turn_gro_on(target.gateway_device); });
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  ~Flood() { gw_flood__destroy(program_); }

  /// A program that drops whatever comes, for the receiving device.
  [[nodiscard]] int sink() const { return bpf_program__fd(program_->progs.sink); }

  /// Sends `packets` and returns when they have been handed over; in the namespace of the calling thread.
  void send_here(uint32_t packets) const {
    char frame[14 + 20 + 8 + 148] = {};
    const uint32_t size = kind_ == Kind::garbage ? 60 : sizeof frame;
    xdp_md context{};
    context.data_end = size;
    context.ingress_ifindex = ifindex_;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = size, .ctx_in = &context,
                .ctx_size_in = sizeof context, .repeat = static_cast<int>(packets), .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                .batch_size = 64);
    if (bpf_prog_test_run_opts(bpf_program__fd(program_->progs.flood), &options) != 0)
      throw std::runtime_error("flood: " + std::string(std::strerror(errno)));
  }
  void send(uint32_t packets) const {
    host_.in([&] { send_here(packets); });
  }

  /// Keeps a rate, as far as the machine does, until `stop` is set; returns packets a second. Runs in its own thread of
  /// the sender's namespace.
  double run(uint32_t packets_a_second, const std::atomic<bool>& stop) const {
    constexpr auto kPause = std::chrono::milliseconds(1);
    constexpr double kMostAtOnce = 50'000;
    uint64_t total = 0;
    std::chrono::duration<double> took{};
    host_.in([&] {
      const auto start = std::chrono::steady_clock::now();
      while (!stop) {
        took = std::chrono::steady_clock::now() - start;
        // What is due by now: a machine that is busy makes up for it later.
        const double due = std::min(took.count() * packets_a_second - static_cast<double>(total), kMostAtOnce);
        if (due >= 64) {
          send_here(static_cast<uint32_t>(due));
          total += static_cast<uint32_t>(due);
        }
        std::this_thread::sleep_for(kPause);
      }
      took = std::chrono::steady_clock::now() - start;
    });
    return static_cast<double>(total) / took.count();
  }

 private:
  static void set_mac(unsigned char (&mac)[6], const Host& host, const std::string& device) {
    const std::string text = host.must("cat /sys/class/net/" + device + "/address");
    for (size_t i = 0; i < 6; ++i) mac[i] = static_cast<unsigned char>(std::stoi(text.substr(3 * i, 2), nullptr, 16));
  }

  static void turn_gro_on(const std::string& device) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_value value{.cmd = ETHTOOL_SGRO, .data = 1};
    ifreq request{};
    std::strncpy(request.ifr_name, device.c_str(), sizeof request.ifr_name - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) throw std::runtime_error("cannot turn GRO on");
  }

  const Host& host_;
  Kind kind_;
  gw_flood* program_;
  uint32_t ifindex_ = 0;
};

}  // namespace gw::test
