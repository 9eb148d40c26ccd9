// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <expected>
#include <functional>
#include <string>

#include "gatewayd/enroll/doors.h"
#include "gatewayd/enroll/http.h"
#include "gatewayd/enroll/service.h"
#include "gatewayd/relay/pump.h"

namespace gw::enroll {

/// WireGuard through port 443, where UDP is shut: connect-udp (RFC 9298) over HTTP/1.1, to this gateway's own WireGuard
/// port and nowhere else, for devices that show the certificate of a client that has access. Who has a place keeps it
/// as long as its client may: a client has few, all together are bounded, and where there is no room the oldest of
/// whoever holds most goes. One thread.
class Relays {
 public:
  Relays(boost::asio::io_context& io, Service& service);

  [[nodiscard]] bool is_wanted(const HttpRequest& request) const;
  /// Answers the request; where it is granted, `opened` is called and datagrams pass until the stream ends. `read`:
  /// what was read of it beyond the request.
  boost::asio::awaitable<void> serve(relay::Stream& stream, HttpRequest request, boost::beast::flat_buffer& read,
                                     std::function<void()> opened);

 private:
  struct Passage {
    std::string client;
    uint16_t port = 0;  ///< of WireGuard on this machine
  };
  boost::asio::awaitable<std::expected<Passage, HttpAnswer>> judge(const HttpRequest& request);
  boost::asio::awaitable<bool> has_access(std::string certificate_pem);

  boost::asio::io_context& io_;
  Service& service_;
  Doors places_;
};

}  // namespace gw::enroll
