// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/http.h"

#include <netdb.h>
#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "gatewayd/base/ip.h"
#include "gatewayd/pki/certificate.h"
#include "gatewayd/pki/keys.h"

namespace gw::connect {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Code = beast::error_code;

constexpr uint64_t kMaxBody = uint64_t{1} << 20U;
constexpr uint32_t kMaxHeader = 16U << 10U;

/// What the verification within the handshake needs, and what came of it.
struct Verification {
  Trust trust;
  Result<Authorities> outcome = failure(EPROTO, "verify the gateway", {}, "there was no handshake");
};

// In place of OpenSSL's own verification: it knows nothing of a root that the chain brings along.
int verify_chain(X509_STORE_CTX* context, void* argument) {
  auto& verification = *static_cast<Verification*>(argument);
  std::vector<pki::X509Ptr> chain;
  const STACK_OF(X509)* presented = X509_STORE_CTX_get0_untrusted(context);
  for (int i = 0; i < sk_X509_num(presented); ++i) {
    X509* one = sk_X509_value(presented, i);
    if (X509_up_ref(one) == 1) chain.emplace_back(one);
  }
  verification.outcome = verify_server(chain, verification.trust);
  if (!verification.outcome) X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
  return verification.outcome ? 1 : 0;
}

std::unexpected<Error> unreachable(const HostPort& server, int code, const std::string& why) {
  switch (code) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
      return failure(EHOSTUNREACH, "reach the gateway", server.str(),
                     "there is no way there from this network: " + why);
    case ECONNREFUSED:
      return failure(code, "reach the gateway", server.str(), "nobody listens there; is gatewayd-enroll running?");
    case ETIMEDOUT:
    case ECANCELED:
      return failure(ETIMEDOUT, "reach the gateway", server.str(), "it does not answer; is the port open there?");
    default:
      return failure(code == 0 ? EIO : code, "reach the gateway", server.str(), why);
  }
}

std::unexpected<Error> unreachable(const HostPort& server, const Code& code) {
  if (code == beast::error::timeout) return unreachable(server, ETIMEDOUT, code.message());
  const bool of_system = code.category() == boost::system::system_category();
  return unreachable(server, of_system ? code.value() : EIO, code.message());
}

Result<std::vector<Tcp::endpoint>> look_up(const HostPort& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const int code = getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &raw);
  if (code != 0)
    return unreachable(server, EHOSTUNREACH, std::string("its name is not found (") + gai_strerror(code) + ")");
  std::vector<Tcp::endpoint> out;
  for (const addrinfo* entry = raw; entry != nullptr; entry = entry->ai_next) {
    Tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    out.push_back(endpoint);
  }
  freeaddrinfo(raw);
  return out;
}

}  // namespace

struct Https::Impl {
  explicit Impl(const HttpsOptions& options) : options(options), verification{options.trust}, stream(context, tls) {}

  HttpsOptions options;
  Verification verification;
  asio::io_context context{1};
  asio::ssl::context tls{asio::ssl::context::tls_client};
  beast::ssl_stream<beast::tcp_stream> stream;
  beast::flat_buffer buffer;

  /// Runs one operation, which `start` begins with a handler, to its end.
  template <class Start>
  Code wait(const Start& start) {
    Code result = asio::error::would_block;
    beast::get_lowest_layer(stream).expires_after(options.patience);
    start([&](const Code& code, auto&&...) { result = code; });
    context.restart();
    context.run();
    beast::get_lowest_layer(stream).expires_never();
    return result;
  }

  Result<void> prepare_tls();
  Result<void> connect_tcp();
  Result<void> shake_hands();
};

Https::Https(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Https::Https(Https&&) noexcept = default;
Https& Https::operator=(Https&&) noexcept = default;
Https::~Https() = default;

const Authorities& Https::authorities() const { return *impl_->verification.outcome; }

Result<void> Https::Impl::prepare_tls() {
  constexpr const char* kOperation = "prepare TLS";
  const pki::ErrorQueue errors;
  SSL* ssl = stream.native_handle();
  SSL_CTX_set_cert_verify_callback(tls.native_handle(), verify_chain, &verification);
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  if (SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1) return errors.failure(EIO, kOperation);
  const std::string& host = options.server.host;
  // Server Name Indication holds names only (RFC 6066 §3).
  if (!IpAddress::parse(host) && SSL_set_tlsext_host_name(ssl, host.c_str()) != 1)
    return errors.failure(EIO, kOperation);
  if (options.certificate_pem.empty()) return {};
  const auto certificate = pki::read_certificate(options.certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  EVP_PKEY* key = options.foreign_key != nullptr ? options.foreign_key : options.identity->impl().key.get();
  if (SSL_use_certificate(ssl, certificate->get()) != 1 || SSL_use_PrivateKey(ssl, key) != 1) {
    return errors.failure(EIO, kOperation, {}, "the certificate and its key do not fit");
  }
  for (const auto& authority : pki::read_certificates(options.issuing_pem)) {
    if (SSL_add1_chain_cert(ssl, authority.get()) != 1) return errors.failure(EIO, kOperation);
  }
  return {};
}

Result<void> Https::Impl::connect_tcp() {
  const auto endpoints = look_up(options.server);
  if (!endpoints) return std::unexpected(endpoints.error());
  Result<void> last = unreachable(options.server, EHOSTUNREACH, "its name has no address");
  for (const Tcp::endpoint& endpoint : *endpoints) {
    auto& socket = beast::get_lowest_layer(stream).socket();
    Code code;
    std::ignore = socket.close(code);
    std::ignore = socket.open(endpoint.protocol(), code);
    if (!code && options.mark != 0 &&
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_MARK, &options.mark, sizeof options.mark) != 0)
      return failure(errno, "mark the connection to", options.server.str(), "be root");
    if (!code) {
      code = wait([&](auto done) { beast::get_lowest_layer(stream).async_connect(endpoint, done); });
    }
    if (!code) return {};
    last = unreachable(options.server, code);
  }
  return last;
}

Result<void> Https::Impl::shake_hands() {
  const Code code = wait([&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); });
  if (!code) return {};
  const bool judged = !verification.outcome && verification.outcome.error().code != EPROTO;
  if (judged) return std::unexpected(verification.outcome.error());
  if (code == beast::error::timeout) return unreachable(options.server, code);
  return failure(EPROTO, "speak TLS 1.3 with", options.server.str(), code.message());
}

Result<Https> Https::connect(const HttpsOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  if (auto done = impl->prepare_tls(); !done) return std::unexpected(done.error());
  if (auto done = impl->connect_tcp(); !done) return std::unexpected(done.error());
  if (auto done = impl->shake_hands(); !done) return std::unexpected(done.error());
  return Https(std::move(impl));
}

Result<HttpResponse> Https::ask(const HttpRequest& request) {
  const HostPort& server = impl_->options.server;
  constexpr int kHttp11 = 11;
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.path);
  message.version(kHttp11);
  message.set(http::field::host, server.port == 443 ? server.str().substr(0, server.str().rfind(':')) : server.str());
  message.set(http::field::user_agent, "gwconnect");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxBody);
  parser.header_limit(kMaxHeader);
  Code code = impl_->wait([&](auto done) { http::async_write(impl_->stream, message, done); });
  if (!code) code = impl_->wait([&](auto done) { http::async_read(impl_->stream, impl_->buffer, parser, done); });
  if (code) {
    const bool late = code == beast::error::timeout;
    // A certificate that the server does not take is told in TLS 1.3 only now, by an alert.
    return failure(late ? ETIMEDOUT : ECONNRESET, "ask the gateway for", request.path, code.message());
  }
  HttpResponse out;
  out.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    out.headers[name] = std::string(field.value());
  }
  out.body = std::move(parser.get().body());
  return out;
}

}  // namespace gw::connect
