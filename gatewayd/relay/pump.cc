// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/relay/pump.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

namespace gw::relay {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Clock = std::chrono::steady_clock;

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);
constexpr size_t kBatch = 2 * (kMostPayload + kMostFrame);

/// A stream that carries datagrams sends each at once, and lets the kernel hold little that is not on its way: what
/// waits there is late already.
void tune(Stream& stream) {
  constexpr int kOn = 1;
  constexpr int kUnsent = 128 << 10;
  constexpr unsigned kSilenceMs = 45'000;  // unacknowledged for so long is broken
  const int fd = beast::get_lowest_layer(stream).socket().native_handle();
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsent, sizeof kUnsent);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kSilenceMs, sizeof kSilenceMs);
}

}  // namespace

Pump::Pump(Stream& stream, asio::ip::udp::socket local, Rules rules)
    : stream_(stream),
      local_(std::move(local)),
      rules_(std::move(rules)),
      batch_(kBatch),
      tick_(local_.get_executor()),
      over_(local_.get_executor(), Clock::time_point::max()),
      last_(Clock::now()) {}

asio::awaitable<std::string> Pump::run(Bytes first) {
  tune(stream_);
  beast::get_lowest_layer(stream_).expires_never();
  parts_ = 3;
  asio::co_spawn(local_.get_executor(), inward(first), asio::detached);
  asio::co_spawn(local_.get_executor(), outward(), asio::detached);
  asio::co_spawn(local_.get_executor(), watch(), asio::detached);
  while (parts_ != 0) co_await over_.async_wait(kQuiet);
  co_return why_;
}

void Pump::part_ended() {
  if (--parts_ == 0) over_.cancel();
}

void Pump::end(const std::string& why) {
  if (why_.empty()) why_ = why;
  boost::system::error_code ignored;
  local_.close(ignored);
  beast::get_lowest_layer(stream_).close();
  tick_.cancel();
}

// A full socket, or nobody behind it, loses the datagram.
void Pump::deliver(Bytes datagram) {
  (void)::send(local_.native_handle(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// False: the stream cannot be read on.
bool Pump::take_all() {
  for (;;) {
    const auto datagram = reader_.next();
    if (!datagram) return end(datagram.error().message()), false;
    if (!*datagram) return true;
    last_ = Clock::now();
    deliver(**datagram);
  }
}

asio::awaitable<void> Pump::inward(Bytes first) {
  bool open = true;
  while (open && !first.empty()) {
    const auto room = reader_.room();
    const size_t size = std::min(room.size(), first.size());
    std::ranges::copy(first.first(size), room.begin());
    first = first.subspan(size);
    reader_.fill(size);
    open = take_all();
  }
  while (open && why_.empty()) {
    const auto room = reader_.room();
    const auto [error, size] = co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), kQuiet);
    if (error) {
      end(error == asio::error::eof || error == asio::ssl::error::stream_truncated ? "the other side ended it"
                                                                                   : error.message());
      break;
    }
    reader_.fill(size);
    open = take_all();
  }
  part_ended();
}

void Pump::fill_batch() {
  for (auto room = batch_.room(); !room.empty(); room = batch_.room()) {
    const ssize_t size = ::recv(local_.native_handle(), room.data(), room.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == ECONNREFUSED) continue;  // of a datagram before: nobody listens, at the moment
    if (size < 0) return;
    last_ = Clock::now();
    const auto length = static_cast<size_t>(size);
    if (length > room.size() || (rules_.divert && rules_.divert(room.first(length)))) continue;
    batch_.add(length);
  }
}

asio::awaitable<void> Pump::outward() {
  while (why_.empty()) {
    const auto [waited] = co_await local_.async_wait(asio::ip::udp::socket::wait_read, kQuiet);
    if (waited) break;
    batch_.clear();
    fill_batch();
    if (batch_.bytes().empty()) continue;
    const auto [error, size] =
        co_await asio::async_write(stream_, asio::buffer(batch_.bytes().data(), batch_.bytes().size()), kQuiet);
    if (error) {
      end(error.message());
      break;
    }
  }
  part_ended();
}

asio::awaitable<void> Pump::watch() {
  while (why_.empty()) {
    tick_.expires_after(rules_.look);
    const auto [stopped] = co_await tick_.async_wait(kQuiet);
    if (stopped || !why_.empty()) break;
    if (Clock::now() - last_ >= rules_.idle) {
      end("nothing passed for a while");
      break;
    }
    if (rules_.may_go_on) {
      const bool may = co_await rules_.may_go_on();
      if (!may) end("the device has no access any more");
    }
  }
  part_ended();
}

}  // namespace gw::relay
