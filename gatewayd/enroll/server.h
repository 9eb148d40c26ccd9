// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "gatewayd/enroll/doors.h"
#include "gatewayd/enroll/relays.h"
#include "gatewayd/enroll/service.h"

namespace boost::asio::ssl {
class context;
}

namespace gw::enroll {

/// HTTP/1.1 over TLS 1.3, for anybody on the internet: deadlines for the handshake, for each request from its first
/// byte to its last, and for each answer; sizes are bounded before anything is read. One thread.
class Server {
 public:
  using Context = std::function<std::shared_ptr<boost::asio::ssl::context>()>;

  /// `context`: what new connections use; nullptr closes them at once. All outlive it.
  Server(boost::asio::io_context& io, Service& service, Doors& doors, Relays& relays, Context context);

  /// Accepts on a listening socket, for ever.
  void serve(boost::asio::ip::tcp::acceptor acceptor);

 private:
  boost::asio::awaitable<void> accept(boost::asio::ip::tcp::acceptor acceptor);
  boost::asio::awaitable<void> session(boost::asio::ip::tcp::socket socket,
                                       std::shared_ptr<boost::asio::ssl::context> context);

  boost::asio::io_context& io_;
  Service& service_;
  Doors& doors_;
  Relays& relays_;
  Context context_;
};

}  // namespace gw::enroll
