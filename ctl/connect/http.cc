// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/http.h"

#include <netdb.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "ctl/connect/http_impl.h"
#include "gatewayd/base/base64.h"
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

/// "gateway", "proxy", and where it is.
struct Place {
  const char* what;
  const HostPort& server;
};

std::unexpected<Error> unreachable(const Place& place, int code, const std::string& why) {
  const auto& [what, server] = place;
  const std::string operation = std::string("reach the ") + what;
  switch (code) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
      return failure(EHOSTUNREACH, operation, server.str(), "there is no way there from this network: " + why);
    case ECONNREFUSED:
      return failure(code, operation, server.str(), "nobody listens there; is it running?");
    case ETIMEDOUT:
    case ECANCELED:
      return failure(ETIMEDOUT, operation, server.str(), "it does not answer; is the port open there?");
    default:
      return failure(code == 0 ? EIO : code, operation, server.str(), why);
  }
}

std::unexpected<Error> unreachable(const Place& server, const Code& code) {
  if (code == beast::error::timeout) return unreachable(server, ETIMEDOUT, code.message());
  const bool of_system = code.category() == boost::system::system_category();
  return unreachable(server, of_system ? code.value() : EIO, code.message());
}

Tcp::endpoint endpoint_at(const IpAddress& address, uint16_t port) {
  return {asio::ip::make_address(address.str()), port};
}

/// The addresses of a machine; `known` when its name is not found.
Result<std::vector<Tcp::endpoint>> look_up(const Place& place, const std::optional<IpAddress>& known) {
  const HostPort& server = place.server;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const int code = getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &raw);
  if (code != 0 && known) return std::vector{endpoint_at(*known, server.port)};
  if (code != 0)
    return unreachable(place, EHOSTUNREACH, std::string("its name is not found (") + gai_strerror(code) + ")");
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

Https::Https(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Https::Https(Https&&) noexcept = default;
Https& Https::operator=(Https&&) noexcept = default;
Https::~Https() = default;

std::optional<HostPort> Https::through() const { return impl_->through; }
IpAddress Https::hop() const { return impl_->hop; }

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

Result<void> Https::Impl::connect_to(const HostPort& machine, const char* what) {
  const Place place{what, machine};
  const auto endpoints = look_up(place, options.known);
  if (!endpoints) return std::unexpected(endpoints.error());
  Result<void> last = unreachable(place, EHOSTUNREACH, "its name has no address");
  for (const Tcp::endpoint& endpoint : *endpoints) {
    auto& socket = beast::get_lowest_layer(stream).socket();
    Code code;
    socket.close(code);
    socket.open(endpoint.protocol(), code);
    if (!code && options.mark != 0 &&
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_MARK, &options.mark, sizeof options.mark) != 0)
      return failure(errno, "mark the connection to", machine.str(), "be root");
    if (!code) {
      code = wait([&](auto done) { beast::get_lowest_layer(stream).async_connect(endpoint, done); });
    }
    if (!code) {
      hop = IpAddress::parse(endpoint.address().to_string()).value_or(IpAddress{});
      return {};
    }
    last = unreachable(place, code);
  }
  return last;
}

// A laptop is not always behind the proxy that it knows: one that is not there is passed by.
Result<void> Https::Impl::connect_tcp() {
  if (!options.proxy) return connect_to(options.server, "gateway");
  const HostPort& proxy = options.proxy->server;
  if (auto reached = connect_to(proxy, "proxy"); reached) {
    through = proxy;
    return ask_proxy();
  } else if (options.known.reset(); !connect_to(options.server, "gateway")) {
    return reached;
  }
  return {};
}

Result<void> Https::Impl::ask_proxy() {
  constexpr const char* kPass = "pass through the proxy";
  const std::string where = options.proxy->server.str();
  const std::string target = options.server.str();
  http::request<http::empty_body> message(http::verb::connect, target, 11);
  message.set(http::field::host, target);
  message.set(http::field::user_agent, "gwconnect");
  const bool named = !options.proxy->credentials.empty();
  if (named) message.set(http::field::proxy_authorization, "Basic " + base64(options.proxy->credentials));
  http::response_parser<http::empty_body> parser;
  parser.skip(true);  // what follows is the gateway's
  parser.header_limit(kMaxHeader);
  beast::flat_buffer read;
  auto& tcp = beast::get_lowest_layer(stream);
  Code code = wait([&](auto done) { http::async_write(tcp, message, done); });
  if (!code) code = wait([&](auto done) { http::async_read_header(tcp, read, parser, done); });
  if (code) return failure(EPROTO, kPass, where, "it does not speak HTTP: " + code.message());
  const unsigned status = parser.get().result_int();
  const std::string answer = " (" + std::to_string(status) + ")";
  if (status / 100 == 2) {
    if (read.size() == 0) return {};
    return failure(EPROTO, kPass, where, "it speaks in the gateway's place");
  }
  if (status == 407 || status == 401)  // tinyproxy: for a password that is wrong
    return failure(EACCES, kPass, where,
                   (named ? "it does not take the name and the password" : "it wants a name and a password") + answer +
                       "; run '" + options.proxy_command + " http://NAME:PASSWORD@" + where + "'");
  if (status == 403 || status == 405)
    return failure(EACCES, kPass, where,
                   "it lets nobody through to " + target + answer + "; have it allow CONNECT to that");
  return failure(EHOSTUNREACH, kPass, where, "it does not get through to " + target + answer);
}

Result<void> Https::Impl::shake_hands() {
  const Code code = wait([&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); });
  if (!code) return {};
  const bool judged = !verification.outcome && verification.outcome.error().code != EPROTO;
  if (judged) {
    Error error = verification.outcome.error();
    if (through) error.detail += "; or the proxy " + through->str() + " opens TLS: have it leave the gateway's alone";
    return std::unexpected(std::move(error));
  }
  if (code == beast::error::timeout) return unreachable(Place{"gateway", options.server}, code);
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
