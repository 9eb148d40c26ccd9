// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ctl/connect/host_port.h"
#include "ctl/connect/proxy.h"
#include "ctl/connect/trust.h"
#include "gatewayd/base/ip.h"

/// HTTPS to one gateway, without Boost in the header: it takes its compiler long. Blocks; one thread.
namespace gw::connect {

struct HttpsOptions {
  HostPort server;
  Trust trust;
  std::string certificate_pem = {};           ///< shown when asked for; empty: none
  std::string issuing_pem = {};               ///< its authorities but the root, shown with it
  const pki::PrivateKey* identity = nullptr;  ///< its key
  EVP_PKEY* foreign_key = nullptr;            ///< its key where it is an organisation's; then in place of `identity`
  uint32_t mark = 0;  ///< fwmark of the connection, so that it goes past a full tunnel; needs CAP_NET_ADMIN
  std::optional<Proxy> proxy = {};  ///< gone through; one that cannot be reached is passed by
  /// What the name of the proxy, or without one of the server, was last found to be; for when it is not found.
  std::optional<IpAddress> known = {};
  std::string proxy_command = "gwconnect join LINK --proxy";  ///< what to run where the proxy refuses
  std::chrono::seconds patience{20};  ///< for each address, for the handshake, and for each answer
};

struct HttpRequest {
  std::string method = "GET";
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< at most 1 MiB
};

class Https {
 public:
  /// Connects by TLS 1.3 and verifies the chain within the handshake: this side sends neither its certificate nor a
  /// byte of HTTP before that. Errors of verify_server; EHOSTUNREACH: no such name, or no way there; ECONNREFUSED,
  /// ETIMEDOUT; EPROTO: no TLS 1.3. EACCES:
  /// the proxy refuses, and the detail tells what to do.
  static Result<Https> connect(const HttpsOptions& options);
  Https(Https&&) noexcept;
  Https& operator=(Https&&) noexcept;
  ~Https();

  /// What the server's chain was verified with.
  [[nodiscard]] const Authorities& authorities() const;
  /// The proxy that the connection goes through; nothing: it is direct.
  [[nodiscard]] std::optional<HostPort> through() const;
  /// The machine that was connected to: the proxy, or the server.
  [[nodiscard]] IpAddress hop() const;
  /// EPROTO: not HTTP, or too long; ECONNRESET, ETIMEDOUT. After a failure the connection is of no more use, and after
  /// status 101 it speaks another protocol, whose first bytes may have been read (Impl::buffer).
  Result<HttpResponse> ask(const HttpRequest& request);

  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  explicit Https(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::connect
