// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "ctl/connect/http.h"
#include "gatewayd/base/fd.h"
#include "gatewayd/relay/target.h"

namespace gw::connect {

/// Whether UDP would do again, found out without disturbing the tunnel: from time to time a handshake initiation that
/// WireGuard sends into the stream goes by UDP instead. When it is answered that way, UDP is good; when not, WireGuard
/// sends it again in five seconds, by the stream, and the session before lives on meanwhile.
struct UdpTrial {
  /// A socket of the moment's network that is connected to the gateway's WireGuard; an invalid one: not now.
  std::function<UniqueFd()> dial;
  std::chrono::seconds first{300};     ///< until the first trial; each that fails doubles the time to the next
  std::chrono::seconds longest{1800};  ///< up to this
};

/// WireGuard through TLS 443: a stream of datagrams to the gateway's WireGuard port (RFC 9298, gatewayd/relay).
class DatagramStream {
 public:
  /// Connects, shows the certificate, and asks for the stream. Blocks. Errors of Https::connect and Https::ask; EACCES:
  /// the gateway refuses, in its own words; ENOTSUP: it has no such resource.
  static Result<std::shared_ptr<DatagramStream>> open(const HttpsOptions& options, const relay::Target& target);

  [[nodiscard]] std::optional<HostPort> through() const { return https_.through(); }

  enum class Ending : uint8_t { stopped, udp_answers };
  /// Carries datagrams between `local`, a connected UDP socket, and the stream. Blocks until `stop`, or UDP does again.
  /// ECONNRESET: the stream broke. Once.
  Result<Ending> carry(UniqueFd local, UdpTrial trial);
  /// From any thread.
  void stop();

 private:
  struct State;
  explicit DatagramStream(Https https);
  Https https_;
  std::shared_ptr<State> state_;
};

}  // namespace gw::connect
