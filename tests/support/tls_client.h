// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/sockets.h"

struct ssl_st;

namespace gw::test {

/// A TLS 1.3 connection to a server whose certificate nobody looks at, for sending what no honest client would: bytes
/// as they are, as slowly as wanted, from any source address. One thread at a time.
class TlsClient {
 public:
  struct Answer {
    int status = 0;  ///< 0: none came; the connection is of no more use
    std::string body;
  };

  TlsClient() = default;
  /// Not valid when TCP or the handshake fails or takes longer than `limit`. `source`: as for connect_tcp.
  TlsClient(const Host& host, const std::string& address, uint16_t port, const std::string& source = {},
            std::chrono::milliseconds limit = kPatience);

  [[nodiscard]] bool valid() const { return tls_ != nullptr; }
  [[nodiscard]] bool send(const std::string& bytes);
  /// The next answer of HTTP/1.1, which has to have a Content-Length. Answers to requests that were sent one behind
  /// the other come in their order.
  Answer receive(std::chrono::milliseconds limit = kPatience);
  /// Whether the other side has closed it; does not wait.
  [[nodiscard]] bool closed();

 private:
  struct Free {
    void operator()(ssl_st* tls) const;
  };
  /// Repeats `step` (an SSL function's result) until it is done, fails, or time is up.
  template <class Step>
  int repeat(Step step, std::chrono::milliseconds limit);

  Socket socket_;
  std::unique_ptr<ssl_st, Free> tls_;
  std::string buffer_;
};

/// "POST RESOURCE" with a body and header lines, each ended by CR LF.
std::string http_post(const std::string& resource, const std::string& headers, const std::string& body);

}  // namespace gw::test
