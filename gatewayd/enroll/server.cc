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

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using Stream = beast::ssl_stream<beast::tcp_stream>;
using std::chrono::seconds;

constexpr auto kHandshake = seconds(10);
constexpr auto kRequest = seconds(10);  // from the end of what was before to its last byte
constexpr auto kAnswer = seconds(10);
constexpr auto kLate = seconds(2);
constexpr uint32_t kMostHeader = 8192;
constexpr uint64_t kMostBody = uint64_t{24} << 10U;  // a request of 16 KiB in base64, and its line ends
constexpr int kMostChain = 8;                        // certificates behind a client's
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

HttpRequest plain(http::request<http::string_body>&& in) {
  HttpRequest out;
  const auto text = [&](auto field) { return std::string(in[field]); };
  out.method = std::string(in.method_string());
  out.path = std::string(in.target().substr(0, in.target().find('?')));
  out.content_type = text(http::field::content_type);
  out.authorization = text(http::field::authorization);
  out.proof = text("WireGuard-Proof");
  out.present_proof = text("WireGuard-Proof-Present");
  out.body = std::move(in.body());
  return out;
}

http::response<http::string_body> response(HttpAnswer&& answer, bool head, bool keep_alive) {
  http::response<http::string_body> out(static_cast<http::status>(answer.status), 11);
  out.set(http::field::content_type, answer.type);
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  out.set("Strict-Transport-Security", "max-age=31536000");
  for (const auto& [name, value] : answer.headers) out.set(name, value);
  out.keep_alive(keep_alive);
  if (!head) out.body() = std::move(answer.body);
  out.prepare_payload();
  return out;
}

HttpAnswer refused(unsigned status, const char* why) {
  HttpAnswer out;
  out.status = status;
  out.body = std::string(why) + "\n";
  return out;
}

/// What a request that cannot be read is answered; nullopt: there is nobody to answer.
std::optional<HttpAnswer> unreadable(const beast::error_code& error) {
  if (error == http::error::body_limit) return refused(413, "The request is too long.");
  if (error == http::error::header_limit) return refused(431, "The header is too long.");
  if (error == beast::error::timeout || error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_method).category()) return refused(400, "This is not HTTP.");
  return std::nullopt;
}

asio::awaitable<bool> write(Stream& stream, HttpAnswer answer, bool head, bool keep_alive) {
  beast::get_lowest_layer(stream).expires_after(kAnswer);
  auto message = response(std::move(answer), head, keep_alive);
  const auto [error, size] = co_await http::async_write(stream, message, kQuiet);
  co_return !error && keep_alive;
}

/// A place among the connections, given back in whatever way the task ends.
class Seat {
 public:
  Seat(Doors& doors, const std::string& source, std::function<void()> close)
      : doors_(doors), place_(doors.enter(source, std::move(close))) {}
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { doors_.leave(place_); }

 private:
  Doors& doors_;
  Doors::Place place_;
};

}  // namespace

Server::Server(asio::io_context& io, Service& service, Doors& doors, Context context)
    : io_(io), service_(service), doors_(doors), context_(std::move(context)) {}

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
  Stream stream(std::move(socket), *context);
  auto& tcp = beast::get_lowest_layer(stream);
  asio::steady_timer late(io_);
  const Seat seat(doors_, source, [&tcp, &late] {
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
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMostHeader);
    parser.body_limit(kMostBody);
    tcp.expires_after(kRequest);
    const auto [error, size] = co_await http::async_read(stream, buffer, parser, kQuiet);
    if (error) {
      if (auto answer = unreadable(error)) co_await write(stream, std::move(*answer), false, false);
      break;
    }
    tcp.expires_never();
    const bool head = parser.get().method() == http::verb::head;
    const bool keep_alive = parser.get().keep_alive() && served < kMostRequests;
    HttpRequest request = plain(parser.release());
    request.certificate_pem = certificate;
    request.chain_pem = chain;
    request.source = address;
    HttpAnswer answer = co_await service_.answer(std::move(request));
    if (answer.refused && doors_.failed(source, monotonic())) {
      late.expires_after(kLate);
      co_await late.async_wait(kQuiet);
    }
    open = co_await write(stream, std::move(answer), head, keep_alive);
  }
  tcp.expires_after(kAnswer);
  std::ignore = co_await stream.async_shutdown(kQuiet);
}

}  // namespace gw::enroll
