// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

#include "ctl/connect/http.h"
#include "gatewayd/base/ip.h"

/// What Https is made of, for those who take its stream over.
namespace gw::connect {

/// What the verification within the handshake needs, and what came of it.
struct Verification {
  Trust trust;
  Result<Authorities> outcome = failure(EPROTO, "verify the gateway", {}, "there was no handshake");
};

struct Https::Impl {
  explicit Impl(const HttpsOptions& options) : options(options), verification{options.trust}, stream(context, tls) {}

  HttpsOptions options;
  Verification verification;
  boost::asio::io_context context{1};
  boost::asio::ssl::context tls{boost::asio::ssl::context::tls_client};
  boost::beast::ssl_stream<boost::beast::tcp_stream> stream;
  boost::beast::flat_buffer buffer;
  std::optional<HostPort> through;
  IpAddress hop;

  /// Runs one operation, which `start` begins with a handler, to its end.
  template <class Start>
  boost::system::error_code wait(const Start& start) {
    boost::system::error_code result = boost::asio::error::would_block;
    boost::beast::get_lowest_layer(stream).expires_after(options.patience);
    start([&](const boost::system::error_code& code, auto&&...) { result = code; });
    context.restart();
    context.run();
    boost::beast::get_lowest_layer(stream).expires_never();
    return result;
  }

  Result<void> prepare_tls();
  /// To the proxy or the server; by way of which is then known.
  Result<void> connect_tcp();
  Result<void> connect_to(const HostPort& machine, const char* what);
  Result<void> ask_proxy();
  Result<void> shake_hands();
};

}  // namespace gw::connect
