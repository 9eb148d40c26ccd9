// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_client.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>

namespace gw::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

SSL_CTX* context() {
  static const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> made = [] {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> out(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!out || SSL_CTX_set_min_proto_version(out.get(), TLS1_3_VERSION) != 1) throw std::runtime_error("SSL_CTX_new");
    return out;
  }();
  return made.get();
}

/// How long the body is that follows `head`.
size_t length_of(const std::string& head) {
  constexpr std::string_view kName = "\r\ncontent-length: ";
  std::string lower = head;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const size_t at = lower.find(kName);
  return at == std::string::npos ? 0 : std::stoul(lower.substr(at + kName.size()));
}

/// OpenSSL writes without MSG_NOSIGNAL: a connection that the other side has closed must not end the test. Ignoring the
/// signal would go on to the programs that the test starts.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;
  ~NoBrokenPipe() {
    const timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
};

}  // namespace

void TlsClient::Free::operator()(ssl_st* tls) const { SSL_free(tls); }

template <class Step>
int TlsClient::repeat(Step step, std::chrono::milliseconds limit) {
  const NoBrokenPipe no_broken_pipe;
  const auto end = SteadyClock::now() + limit;
  for (;;) {
    const int rc = step();
    if (rc > 0) return rc;
    const int why = SSL_get_error(tls_.get(), rc);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now());
    if ((why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) || left.count() <= 0) return 0;
    pollfd wanted{socket_.fd(), static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    poll(&wanted, 1, static_cast<int>(left.count()));
  }
}

TlsClient::TlsClient(const Host& host, const std::string& address, uint16_t port, const std::string& source,
                     std::chrono::milliseconds limit)
    : socket_(connect_tcp(host, address, port, limit, nullptr, source)) {
  if (!socket_.valid()) return;
  tls_.reset(SSL_new(context()));
  if (tls_ && SSL_set_fd(tls_.get(), socket_.fd()) == 1 &&
      repeat([this] { return SSL_connect(tls_.get()); }, limit) == 1)
    return;
  tls_.reset();
}

bool TlsClient::send(const std::string& bytes) {
  if (!tls_) return false;
  const auto write = [&] { return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())); };
  return repeat(write, kPatience) > 0;
}

TlsClient::Answer TlsClient::receive(std::chrono::milliseconds limit) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto more = [&] {
    char bytes[16384];
    const int size = tls_ ? repeat([&] { return SSL_read(tls_.get(), bytes, sizeof bytes); }, limit) : 0;
    buffer_.append(bytes, static_cast<size_t>(size));
    return size > 0;
  };
  size_t head = 0;
  while ((head = buffer_.find(kEnd)) == std::string::npos) {
    if (!more()) return {};
  }
  const size_t body = head + kEnd.size();
  const size_t size = length_of(buffer_.substr(0, head));
  while (buffer_.size() < body + size) {
    if (!more()) return {};
  }
  Answer out{.status = std::stoi(buffer_.substr(buffer_.find(' ') + 1, 3)), .body = buffer_.substr(body, size)};
  buffer_.erase(0, body + size);
  return out;
}

bool TlsClient::closed() {
  if (!tls_) return true;
  const NoBrokenPipe no_broken_pipe;
  char byte = 0;
  const int rc = SSL_peek(tls_.get(), &byte, 1);
  return rc <= 0 && SSL_get_error(tls_.get(), rc) != SSL_ERROR_WANT_READ;
}

std::string http_post(const std::string& resource, const std::string& headers, const std::string& body) {
  return "POST " + resource + " HTTP/1.1\r\nHost: gateway\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace gw::test
