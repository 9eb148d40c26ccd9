// SPDX-License-Identifier: Apache-2.0
// A policy of 10,000 rules replaced under traffic: milliseconds of `gwctl apply` and of the apply itself, and what
// became of the packets meanwhile. Three ports are sent to in turn all the time: one that every policy allows, of which
// none may be lost, and two of which each policy allows one. Packets of one sender are judged in their order: once one
// has met the new policy, none may meet the old one, so that they see as many changes as there were.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "tests/support/bench.h"
#include "tests/support/lab.h"

namespace gw::test {
namespace {

constexpr int kRounds = 9;
constexpr int kRules = 10'000;
constexpr const char* kServer = "10.1.2.10";
constexpr uint16_t kAlways = 9000;
constexpr uint16_t kEven = 9001;
constexpr uint16_t kOdd = 9002;
constexpr std::chrono::microseconds kInterval{100};

std::string policy(bool odd) {
  std::string out = "groups: {developers: {}}\nrules:\n";
  const auto allow = [&](const std::string& name, int port) {
    out += "  - {name: " + name + ", action: allow, from: [subnet:web], to: [subnet:data], services: [udp/" +
           std::to_string(port) + "]}\n";
  };
  // All ports differ from those of the other policy: nothing of it can be kept.
  for (int i = 0; i < kRules - 2; ++i) allow("r" + std::to_string(i), (odd ? 20'000 : 40'000) + i);
  allow("always", kAlways);
  allow("turn", odd ? kOdd : kEven);
  return out;
}

/// Numbered datagrams to the three ports, and what of them arrived.
class Traffic {
 public:
  explicit Traffic(Lab& lab) : receiver_(lab.data()), sender_(lab.web()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { send_until(stop); });
    reader_ = std::jthread([this](const std::stop_token& stop) { read_until(stop); });
  }
  /// Ends the sending, waits for what is on its way.
  void finish() {
    thread_ = {};
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    reader_ = {};
  }
  [[nodiscard]] uint64_t sent() const { return sent_; }
  [[nodiscard]] uint64_t lost() const { return sent_ - arrived_; }
  /// How often the allowed one of the two ports changed, in the order of sending; after finish().
  [[nodiscard]] size_t changes() {
    std::ranges::sort(taken_);
    size_t out = 0;
    for (size_t i = 1; i < taken_.size(); ++i) out += taken_[i].port != taken_[i - 1].port ? 1 : 0;
    return out;
  }

 private:
  struct Receiver {
    explicit Receiver(Host& host)
        : always(bind_udp(host, kServer, kAlways)),
          even(bind_udp(host, kServer, kEven)),
          odd(bind_udp(host, kServer, kOdd)) {
      const int room = 16 << 20;
      for (const Socket* socket : {&always, &even, &odd})
        setsockopt(socket->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    }
    Socket always, even, odd;
  };
  struct Sender {
    explicit Sender(Host& host)
        : always(connect_udp(host, kServer, kAlways)),
          even(connect_udp(host, kServer, kEven)),
          odd(connect_udp(host, kServer, kOdd)) {}
    Socket always, even, odd;
  };

  void send_until(const std::stop_token& stop) {
    auto next = std::chrono::steady_clock::now();
    for (uint64_t number = 0; !stop.stop_requested(); ++number) {
      for (const Socket* socket : {&sender_.even, &sender_.odd})
        ::send(socket->fd(), &number, sizeof number, MSG_NOSIGNAL);
      if (::send(sender_.always.fd(), &number, sizeof number, MSG_NOSIGNAL) == sizeof number) ++sent_;
      next = std::max(next + kInterval, std::chrono::steady_clock::now());
      std::this_thread::sleep_until(next);
    }
  }

  /// True with the number of a datagram that was there.
  static bool take(const Socket& socket, uint64_t& number) {
    return ::recv(socket.fd(), &number, sizeof number, MSG_DONTWAIT) == sizeof number;
  }

  void read_until(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd any[] = {
          {receiver_.always.fd(), POLLIN, 0}, {receiver_.even.fd(), POLLIN, 0}, {receiver_.odd.fd(), POLLIN, 0}};
      poll(any, std::size(any), 10);
      uint64_t number = 0;
      while (take(receiver_.always, number)) ++arrived_;
      while (take(receiver_.even, number)) taken_.push_back({number, kEven});
      while (take(receiver_.odd, number)) taken_.push_back({number, kOdd});
    }
  }

  struct Taken {
    uint64_t number = 0;
    uint16_t port = 0;  // the even one is sent first
    auto operator<=>(const Taken&) const = default;
  };

  Receiver receiver_;
  Sender sender_;
  std::atomic<uint64_t> sent_ = 0, arrived_ = 0;
  std::vector<Taken> taken_;
  std::jthread reader_, thread_;
};

/// Seconds that applies took so far, as gatewayd counts them.
double apply_seconds(Lab& lab) {
  const std::string name = "gatewayd_apply_duration_seconds_sum ";
  const std::string text = lab.must_gwctl("metrics");
  const size_t at = text.find("\n" + name);
  if (at == std::string::npos) throw std::runtime_error("no metric of applies");
  return std::stod(text.substr(at + 1 + name.size()));
}

void bench_swap() {
  Lab lab(GW_BINARY_DIR);
  lab.configure(policy(false));
  lab.start();
  std::vector<double> apply;
  bool odd = false;
  Traffic traffic(lab);
  const auto swap = [&] {
    odd = !odd;
    lab.configure(policy(odd));
    const double before = apply_seconds(lab);
    const auto start = std::chrono::steady_clock::now();
    lab.must_gwctl("apply");
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    apply.push_back((apply_seconds(lab) - before) * 1e3);
    return took.count();
  };
  report(interleave("swap of 10,000 rules, gwctl apply", "ms", kRounds, {{"ours", swap}}), bench_file());
  traffic.finish();
  std::cout << "    of it in gatewayd: median " << median(apply) << " ms\n    packets sent " << traffic.sent()
            << ", lost " << traffic.lost() << "; " << apply.size()
            << " swaps, changes seen by the packets in their order " << traffic.changes() << "\n";
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_swap();
  } catch (const std::exception& error) {
    std::cerr << "bench_swap: " << error.what() << "\n";
    return 1;
  }
}
