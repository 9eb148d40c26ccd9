// SPDX-License-Identifier: Apache-2.0
// Milliseconds from the order to revoke a client to its last packet that arrives behind the gateway: from the start of
// the process `gwctl client revoke`, from the bus call, and, beside them, from the start of `wg set … peer … remove` on
// a plain WireGuard router. The client sends a datagram through the tunnel every half millisecond; the receiver's
// kernel says when each arrived.
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "ctl/bus.h"
#include "tests/bench/wireguard_router.h"
#include "tests/support/bench.h"
#include "tests/support/lab.h"

namespace gw::test {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr int kRounds = 50;
constexpr uint16_t kPort = 9000;
constexpr const char* kServer = "10.1.1.10";
constexpr std::chrono::microseconds kInterval{500};
constexpr Milliseconds kNothingMore{200};
constexpr int64_t kPause = 5'000'000;  // ns without a packet sent: the machine was busy, the round says nothing

int64_t wall_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

/// Datagrams from a client to a server, each with the time it was sent.
class Stream {
 public:
  struct Arrival {
    int64_t sent = 0;  // ns, wall clock
    int64_t arrived = 0;
  };

  Stream(const Host& client, const Host& server)
      : receiver_(bind_udp(server, kServer, kPort)), sender_(connect_udp(client, kServer, kPort)) {
    const int on = 1;
    const int room = 4 << 20;
    setsockopt(receiver_.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (setsockopt(receiver_.fd(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
      throw std::runtime_error("SO_TIMESTAMPNS");
    thread_ = std::jthread([this](const std::stop_token& stop) { send_until(stop); });
  }

  std::optional<Arrival> receive(Milliseconds limit) const {
    pollfd wanted{receiver_.fd(), POLLIN, 0};
    if (poll(&wanted, 1, static_cast<int>(limit.count())) != 1) return std::nullopt;
    Arrival out;
    iovec data{&out.sent, sizeof out.sent};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(receiver_.fd(), &message, 0) != sizeof out.sent) throw std::runtime_error("recvmsg");
    timespec at{};
    std::copy_n(CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof at, reinterpret_cast<unsigned char*>(&at));
    out.arrived = at.tv_sec * 1'000'000'000L + at.tv_nsec;
    return out;
  }

  /// Until packets arrive that were sent just now.
  void wait_until_it_flows() const {
    constexpr int kEnough = 50;
    constexpr int64_t kFresh = 20'000'000;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (int fresh = 0; fresh < kEnough;) {
      const auto arrival = receive(Milliseconds(1000));
      fresh = arrival && wall_ns() - arrival->sent < kFresh ? fresh + 1 : 0;
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the client's packets do not arrive");
    }
  }

  /// Everything that still arrives, until nothing does.
  Arrival last() const {
    Arrival out;
    while (const auto arrival = receive(kNothingMore)) out = *arrival;
    return out;
  }

  /// Whether the client sent another one soon after the one sent at `time`.
  bool went_on_after(int64_t time) {
    const std::lock_guard lock(mutex_);
    const auto next = std::ranges::upper_bound(sent_, time);
    return next != sent_.end() && *next - time < kPause;
  }

 private:
  void send_until(const std::stop_token& stop) {
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      const int64_t now = wall_ns();
      {
        const std::lock_guard lock(mutex_);
        sent_.push_back(now);
      }
      ::send(sender_.fd(), &now, sizeof now, MSG_NOSIGNAL);
      next = std::max(next + kInterval, std::chrono::steady_clock::now());
      std::this_thread::sleep_until(next);
    }
  }

  Socket receiver_, sender_;
  std::mutex mutex_;
  std::vector<int64_t> sent_;
  std::jthread thread_;  // the last member: it ends before what it uses
};

/// One round: packets flow, `cut` is ordered, the last packet arrives, `mend` lets them flow again.
double milliseconds_to_the_last(Stream& stream, const std::function<void()>& cut, const std::function<void()>& mend) {
  for (;;) {
    stream.wait_until_it_flows();
    const int64_t start = wall_ns();
    cut();
    const Stream::Arrival last = stream.last();
    const bool counts = stream.went_on_after(last.sent);
    mend();
    if (counts) return static_cast<double>(std::max<int64_t>(0, last.arrived - start)) / 1e6;
  }
}

/// A gateway with the client alice.
class Gateway {
 public:
  Gateway() : lab_(GW_BINARY_DIR) {
    lab_.configure(
        "groups: {developers: {}}\nrules:\n  - {name: stream, action: allow, from: [group:developers], "
        "to: [subnet:web], services: [udp/9000]}\n");
    lab_.start();
    lab_.enrol("alice", "developers");
    setenv("DBUS_SYSTEM_BUS_ADDRESS", lab_.bus_address().c_str(), 1);
    auto bus = ctl::Bus::open("");
    if (!bus) throw std::runtime_error(bus.error().text);
    bus_.emplace(std::move(*bus));
    stream_.emplace(lab_.client("alice"), lab_.web());
  }

  double by_gwctl() {
    return milliseconds_to_the_last(
        *stream_,
        [] {
          const Output output = run({std::string(GW_BINARY_DIR) + "/gwctl", "client", "revoke", "alice"});
          if (!output.ok()) throw std::runtime_error("gwctl client revoke: " + output.err);
        },
        [this] { mend(); });
  }

  double by_bus() {
    return milliseconds_to_the_last(
        *stream_,
        [this] {
          const auto done = bus_->call("RevokeClient", "ss", ctl::Json::array({"alice", "unspecified"}));
          if (!done) throw std::runtime_error("RevokeClient: " + done.error().text);
        },
        [this] { mend(); });
  }

 private:
  /// A new key, and the device that is up already takes it.
  void mend() {
    const std::string profile = lab_.directory() + "/alice.conf";
    lab_.must_gwctl("client rekey alice --force --out " + profile);
    lab_.client("alice").must({"bash", "-c", "wg setconf alice <(wg-quick strip " + profile + ")"});
  }

  Lab lab_;
  std::optional<ctl::Bus> bus_;
  std::optional<Stream> stream_;
};

class Router {
 public:
  Router() : stream_(router_.client(), router_.lab().web()) {}

  double by_wg() {
    return milliseconds_to_the_last(stream_, [this] { router_.remove_client(); }, [this] { router_.add_client(); });
  }

 private:
  WireGuardRouter router_;
  Stream stream_;
};

void bench_revocation() {
  Gateway gateway;
  Router router;
  report(interleave("revoke: start of gwctl to the last packet", "ms", kRounds,
                    {{"ours", [&] { return gateway.by_gwctl(); }},
                     {"ours, from the bus call", [&] { return gateway.by_bus(); }},
                     {"plain WireGuard, start of wg set peer remove", [&] { return router.by_wg(); }}}),
         bench_file());
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_revocation();
  } catch (const std::exception& error) {
    std::cerr << "bench_revoke: " << error.what() << "\n";
    return 1;
  }
}
