// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

#include "gatewayd/enroll/answer.h"
#include "gatewayd/enroll/request.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using std::chrono::seconds;

constexpr auto kHandshake = seconds(10);
constexpr auto kRequest = seconds(10);  // from the end of what was before to its last byte
constexpr auto kLate = seconds(2);
constexpr int kMostChain = 8;  // certificates behind a client's
constexpr size_t kMostChainBytes = size_t{64} << 10U;
constexpr int kMostRequests = 16;  // of one connection

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);

double monotonic() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string pem_of(X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> memory(BIO_new(BIO_s_mem()), BIO_free_all);
  if (certificate == nullptr || !memory || PEM_write_bio_X509(memory.get(), certificate) != 1) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string certificate_of(SSL* tls) {
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(tls), X509_free);
  return pem_of(shown.get());
}

/// What stood behind the certificate; what is more than anybody's chain is left out.
std::string chain_of(const SSL* tls) {
  std::string out;
  const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(tls);
  for (int i = 0; i < std::min(sk_X509_num(sent), kMostChain); ++i) {
    const std::string one = pem_of(sk_X509_value(sent, i));
    if (out.size() + one.size() > kMostChainBytes) break;
    out += one;
  }
  return out;
}

}  // namespace

Server::Server(asio::io_context& io, Service& service, Doors& doors, Relays& relays, Context context)
    : io_(io), service_(service), doors_(doors), relays_(relays), context_(std::move(context)) {}

void Server::serve(asio::ip::tcp::acceptor acceptor) {
  asio::co_spawn(io_, accept(std::move(acceptor)), asio::detached);
}

asio::awaitable<void> Server::accept(asio::ip::tcp::acceptor acceptor) {
  constexpr auto kBreath = std::chrono::milliseconds(50);
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(kQuiet);
    if (error) {
      // Out of descriptors: those that are open come to their deadlines.
      asio::steady_timer pause(io_, kBreath);
      co_await pause.async_wait(kQuiet);
      continue;
    }
    auto context = context_();
    if (context) asio::co_spawn(io_, session(std::move(socket), std::move(context)), asio::detached);
  }
}

asio::awaitable<void> Server::session(asio::ip::tcp::socket socket, std::shared_ptr<ssl::context> context) {
  boost::system::error_code unknown;
  const auto peer = socket.remote_endpoint(unknown);
  if (unknown) co_return;
  const std::string address = peer.address().to_string();
  const std::string source = source_of(address);
  relay::Stream stream(std::move(socket), *context);
  auto& tcp = beast::get_lowest_layer(stream);
  asio::steady_timer late(io_);
  std::optional<Seat> seat(std::in_place, doors_, source, [&tcp, &late] {
    tcp.close();
    late.cancel();
  });

  tcp.expires_after(kHandshake);
  const auto [failed] = co_await stream.async_handshake(ssl::stream_base::server, kQuiet);
  if (failed) co_return;
  const std::string certificate = certificate_of(stream.native_handle());
  const std::string chain = chain_of(stream.native_handle());
  beast::flat_buffer buffer;
  bool open = true;
  for (int served = 1; open; ++served) {
    RequestParser parser;
    set_limits(parser);
    tcp.expires_after(kRequest);
    const auto [error, size] = co_await http::async_read(stream, buffer, parser, kQuiet);
    if (error) {
      if (auto answer = unreadable(error)) co_await write_answer(stream, std::move(*answer), false, false);
      break;
    }
    tcp.expires_never();
    const bool head = parser.get().method() == http::verb::head;
    const bool keep_alive = parser.get().keep_alive() && served < kMostRequests;
    HttpRequest request = plain_request(parser.release());
    request.certificate_pem = certificate;
    request.chain_pem = chain;
    request.source = address;
    if (relays_.is_wanted(request)) {
      // A stream that stays has a place of its client's, and none among those who come and go.
      co_await relays_.serve(stream, std::move(request), buffer, [&seat] { seat.reset(); });
      co_return;
    }
    HttpAnswer answer = co_await service_.answer(std::move(request));
    if (answer.refused && doors_.failed(source, monotonic())) {
      late.expires_after(kLate);
      co_await late.async_wait(kQuiet);
    }
    open = co_await write_answer(stream, std::move(answer), head, keep_alive);
  }
  tcp.expires_after(kAnswerTime);
  std::ignore = co_await stream.async_shutdown(kQuiet);
}

}  // namespace gw::enroll
