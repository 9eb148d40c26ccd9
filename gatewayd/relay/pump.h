// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "gatewayd/relay/capsule.h"

namespace gw::relay {

using Stream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

/// Datagrams between a TLS stream and a UDP socket of this machine, in both directions, until one of them ends. Nothing
/// is queued beside one batch each way: what the stream does not take waits in the socket's receive buffer and is lost
/// when that is full, as UDP loses it; what the socket does not take is lost at once. One thread, the stream's.
class Pump {
 public:
  struct Rules {
    /// Ends when no datagram passed, in either direction, for so long.
    std::chrono::seconds idle{180};
    /// Asked every `look` whether this may go on; empty: it may.
    std::function<boost::asio::awaitable<bool>()> may_go_on;
    std::chrono::seconds look{30};
    /// Shown each datagram from the socket; true: it is taken, and does not go into the stream.
    std::function<bool(Bytes)> divert;
  };
  /// `local` is connected, so that it hears nobody else. The stream outlives it.
  Pump(Stream& stream, boost::asio::ip::udp::socket local, Rules rules);

  /// Until the end; why it ended, as a phrase. `first`: bytes of the stream that were read already. Once.
  boost::asio::awaitable<std::string> run(Bytes first);

  /// To the socket.
  void deliver(Bytes datagram);
  /// Makes `run` return; the first reason counts.
  void end(const std::string& why);

 private:
  boost::asio::awaitable<void> inward(Bytes first);
  boost::asio::awaitable<void> outward();
  boost::asio::awaitable<void> watch();
  bool take_all();
  void fill_batch();
  void part_ended();

  Stream& stream_;
  boost::asio::ip::udp::socket local_;
  Rules rules_;
  Reader reader_;
  Batch batch_;
  boost::asio::steady_timer tick_, over_;
  std::chrono::steady_clock::time_point last_;
  size_t parts_ = 0;
  std::string why_;
};

}  // namespace gw::relay
