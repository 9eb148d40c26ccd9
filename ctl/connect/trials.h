// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <functional>

#include "ctl/connect/stream.h"
#include "gatewayd/relay/capsule.h"

namespace gw::connect {

/// The trials of one stream: UdpTrial tells what they are. One thread, the context's.
class Trials {
 public:
  /// `answered` is given the gateway's answer when there is one by UDP: no more than once for a trial.
  Trials(boost::asio::io_context& context, UdpTrial rules, std::function<void(relay::Bytes)> answered);

  [[nodiscard]] bool answered() const { return is_answered_; }
  /// What WireGuard sends. True: it went by UDP, and not into the stream.
  bool take(relay::Bytes message);
  /// No answer is waited for any more.
  void close();

 private:
  /// To the initiation that was sent: it names its sender.
  [[nodiscard]] bool is_answer(relay::Bytes message) const;
  void listen();

  UdpTrial rules_;
  std::function<void(relay::Bytes)> tell_;
  boost::asio::ip::udp::socket socket_;
  std::chrono::seconds delay_;
  std::chrono::steady_clock::time_point due_;
  std::array<uint8_t, 4> sender_{};
  bool is_answered_ = false;
};

}  // namespace gw::connect
