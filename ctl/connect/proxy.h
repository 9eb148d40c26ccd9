// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ctl/connect/host_port.h"
#include "gatewayd/base/result.h"

namespace gw::connect {

/// An HTTP proxy that connections to the gateway go through, by CONNECT (RFC 9110 §9.3.6), and what it is told about
/// who asks (RFC 7617). The password is wiped with the object.
struct Proxy {
  HostPort server;
  std::string credentials;  ///< "user:password", decoded; empty: none
  Proxy() = default;
  Proxy(const Proxy&) = default;
  Proxy& operator=(const Proxy&) = default;
  Proxy(Proxy&&) = default;
  Proxy& operator=(Proxy&&) = default;
  ~Proxy();
  bool operator==(const Proxy&) const = default;
};

/// "http://user:password@proxy.example:3128", "proxy.example:3128"; the port is 3128 unless given, and what is special
/// in name and password is percent-encoded. EINVAL, without the password in the error; ENOTSUP for https and socks.
Result<Proxy> parse_proxy(std::string_view url);
/// A text that parse_proxy reads. Secret.
std::string proxy_url(const Proxy& proxy);

/// What the environment says: https_proxy or HTTPS_PROXY, unless no_proxy or NO_PROXY has the server, by curl(1)'s
/// rules: names stand for their subdomains too, addresses and prefixes for themselves, '*' for all.
Result<std::optional<Proxy>> proxy_of_environment(const HostPort& server);

/// Whether a no_proxy list has the host.
bool is_exempt(std::string_view list, std::string_view host);

}  // namespace gw::connect
