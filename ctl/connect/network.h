// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ctl/connect/profile.h"

namespace gw::connect {

/// A stream over TLS that carries WireGuard's packets, and begins at a port of this machine.
struct Relay {
  uint16_t port = 0;
  std::string through;  ///< the proxy, host and port; empty: none
  UnixSeconds since = 0;
  std::string trouble;  ///< why there is none, though one is wanted; `port` is 0 then
  bool operator==(const Relay&) const = default;
};

/// One network that this machine has joined, without its secrets: the contents of network.json. The private keys lie
/// beside it, each in a file named after its public half, so that this one file says which of them count.
struct Network {
  std::string id;           ///< name of its directory: the gateway's host, and the port when it is not 443
  HostPort server;          ///< of gatewayd-enroll
  std::string fingerprint;  ///< of the root certificate in the join link
  std::string link;         ///< JoinLink::digest of that link; empty: of a version before this was kept
  std::string interface;
  uint32_t slot = 0;  ///< its own number on this machine: routing table, mark and priorities of rules are made of it
  bool fail_closed = false;
  uint32_t rotate_days = 30;  ///< 0: the WireGuard key stays

  std::string roots_pem;        ///< the trust anchors for server and certificate
  std::string issuing_pem;      ///< authorities in between
  std::string certificate_pem;  ///< of this machine
  std::string identity;         ///< names the file of the certificate's key
  PublicKey key;                ///< the WireGuard key in use
  UnixSeconds key_since = 0;
  /// A key that the gateway was asked to take instead, and has not answered for yet: it may know either.
  std::optional<PublicKey> next_key;

  std::optional<Profile> profile;  ///< none: enrolled, but cut off before the profile came
  UnixSeconds profile_since = 0;
  std::optional<IpAddress> endpoint;  ///< what its name was last found to be
  std::string trouble;                ///< why the last talk with the gateway failed; empty: it did not
  std::string proxy;                  ///< host and port of the one that was given for this network; empty: none
  uint32_t proxy_changes = 0;         ///< how often another was given: with the same host the password may be new
  std::string service_proxy;          ///< host and port of the one in the service's environment; empty: none
  std::optional<IpAddress> hop;       ///< what the name of the proxy, or else the server's, was last found to be
  /// Not of network.json: what the service is doing now.
  std::optional<Relay> relay;
  std::string relay_trouble;  ///< why none could be had
  bool operator==(const Network&) const = default;

  /// The gateway's own name, or the directory's where it is not known yet.
  [[nodiscard]] const std::string& name() const { return profile ? profile->gateway_name : id; }
  /// Whether connections to the gateway may go through a proxy.
  [[nodiscard]] bool has_proxy() const { return !proxy.empty() || !service_proxy.empty(); }
};

/// The name of the directory for a gateway.
std::string network_id(const HostPort& server);

std::string network_json(const Network& network);
std::string relay_json(const Relay& relay);
std::optional<Relay> parse_relay(std::string_view json);

/// EUCLEAN with the field when it is damaged. `id` is not in the text.
Result<Network> parse_network(const std::string& id, std::string_view json);

}  // namespace gw::connect
