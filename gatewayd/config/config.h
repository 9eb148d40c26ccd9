// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/key.h"

/// What an operator wrote, as values. Passive structs: no I/O, no libraries, shared by config, policy and plan.
/// Everything here has been validated by `load`: names exist, prefixes are disjoint, rules are in their final order.
namespace gw::config {

/// Where a thing was written. Line and column count from 1; 0 means built in.
struct Origin {
  std::string file;
  int line = 0;
  int column = 0;

  bool operator==(const Origin&) const = default;
  [[nodiscard]] std::string str() const { return file + ":" + std::to_string(line) + ":" + std::to_string(column); }
};

enum class Action : uint8_t { deny = 0, allow = 1, reject = 2 };

/// One zone selector of DESIGN §2.
struct Selector {
  enum class Kind : uint8_t { any, vpn, internet, gateway, subnet, group, client, site, prefix };
  Kind kind = Kind::any;
  std::string name;  ///< of the subnet, group, client or site; else empty
  Prefix prefix;     ///< for Kind::prefix

  auto operator<=>(const Selector&) const = default;
  [[nodiscard]] std::string str() const;  ///< "group:developers", "any", "10.1.1.7/32"
};

/// What a rule admits: a range of ports of TCP or UDP; ICMP (both versions) as type << 8 | code; or IP protocol
/// numbers.
struct Service {
  enum class Kind : uint8_t { any, tcp, udp, icmp, protocol };
  Kind kind = Kind::any;
  uint16_t first = 0;
  uint16_t last = 0xffff;

  auto operator<=>(const Service&) const = default;
  [[nodiscard]] std::string str() const;  ///< "tcp/443", "udp/1000-2000", "icmp", "icmp/8", "proto/47", "any"
};

struct Rule {
  std::string name;  ///< unique
  Action action = Action::deny;
  std::vector<Selector> from;
  std::vector<Selector> to;
  std::vector<Service> services;  ///< names of `services:` and the built-in ones are resolved; empty never occurs
  std::vector<std::string> service_names;  ///< as written, for showing
  bool log = false;
  bool built_in = false;  ///< DATAPLANE "Zones": shown by `gwctl rule list`, cannot be removed
  Origin origin;

  bool operator==(const Rule&) const = default;
};

struct Endpoint {
  std::string host;  ///< name or address, without brackets
  uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
  [[nodiscard]] std::string str() const;  ///< "vpn.contoso.example:51820", "[2001:db8::1]:51820"
};

struct Public {
  std::string interface;
  std::optional<Endpoint> endpoint;  ///< what profiles name; the port defaults to listen_port
  uint16_t listen_port = 51820;
  /// `gateway.public.allow`: services of the gateway itself that are open on the public side; ssh and ping unless
  /// written.
  std::vector<Service> allow;
  /// `gateway.public.enroll_port`: TCP port on which devices enrol (gatewayd-enroll); none unless written.
  std::optional<uint16_t> enroll_port;

  bool operator==(const Public&) const = default;
};

enum class Tunnel : uint8_t { split, full };

/// `vpn.dns`: the gateway serves names of this domain, and looks all others up for whoever asks.
struct Dns {
  std::string domain;              ///< lower case, without a dot at its end
  std::vector<IpAddress> forward;  ///< who is asked for other names; none: whom the gateway itself asks

  bool operator==(const Dns&) const = default;
};

struct Vpn {
  std::string interface = "wg0";
  std::optional<uint32_t> mtu;
  std::vector<Prefix> subnets;  ///< at most one of each family, at least one in all
  Tunnel tunnel = Tunnel::split;
  std::optional<Dns> dns;

  bool operator==(const Vpn&) const = default;
};

/// A machine that has a name in `vpn.dns.domain` without being a client.
struct NamedHost {
  std::vector<IpAddress> addresses;  ///< at least one
  Origin origin;

  bool operator==(const NamedHost&) const = default;
};

struct Subnet {
  std::vector<Prefix> prefixes;
  std::string interface;
  std::optional<uint16_t> vlan;
  std::vector<IpAddress> address;  ///< the gateway's own address in it; none: the interface keeps what it has
  std::vector<IpAddress> via;      ///< next hop when the subnet is routed, not attached; at most one of each family
  std::map<std::string, NamedHost> hosts;  ///< by label; no two subnets have one of the same name
  std::string description;
  Origin origin;

  bool operator==(const Subnet&) const = default;
  /// The network device the subnet's packets arrive on: `interface`, or `interface.vlan`.
  [[nodiscard]] std::string device() const { return vlan ? interface + "." + std::to_string(*vlan) : interface; }
};

struct Group {
  std::string description;
  bool interconnect = false;
  std::optional<Tunnel> tunnel;
  Origin origin;

  bool operator==(const Group&) const = default;
};

struct Site {
  PublicKey public_key;
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> prefixes;
  uint16_t keepalive = 0;  ///< seconds; 0 is off
  std::string description;
  Origin origin;

  bool operator==(const Site&) const = default;
};

/// Masquerade what `from` sends to the zone `internet` when it leaves by `out`.
struct Nat {
  std::vector<Selector> from;
  std::string out;
  Origin origin;

  bool operator==(const Nat&) const = default;
};

/// Where the guard runs: `automatic` is in XDP where the driver of the public card has it, except on a veth, which
/// would take segmentation offloads from the container at its other end; else at TC.
enum class GuardHook : uint8_t { automatic, xdp, tc };

/// `guard:` at the public interface.
struct Guard {
  GuardHook hook = GuardHook::automatic;
  uint32_t initiations_per_source = 0;  ///< WireGuard handshakes a second from one address (IPv6: /64); 0 is no limit

  bool operator==(const Guard&) const = default;
};

enum class ForwardForeign : uint8_t { leave, drop };

/// Whether established flows between subnets may be forwarded in XDP where the cards can. `automatic` leaves out veth,
/// whose frames may carry checksums that nobody has computed yet.
enum class FastPath : uint8_t { automatic, on, off };

struct Dataplane {
  FastPath fast_path = FastPath::automatic;

  bool operator==(const Dataplane&) const = default;
};

/// A file that node_exporter's textfile collector reads.
struct Metrics {
  std::string textfile;
  uint32_t interval_seconds = 15;

  bool operator==(const Metrics&) const = default;
};

struct Config {
  std::string name;
  Public public_side;
  Vpn vpn;
  std::vector<Prefix> address_space;
  std::map<std::string, Subnet> subnets;
  std::map<std::string, std::vector<Service>> services;
  std::map<std::string, Group> groups;
  std::map<std::string, Site> sites;
  std::vector<Rule> rules;  ///< in order of judgement; built-in ones last
  std::vector<Nat> nat;
  Guard guard;
  ForwardForeign forward_foreign = ForwardForeign::leave;
  Dataplane dataplane;
  std::optional<Metrics> metrics;

  bool operator==(const Config&) const = default;
};

}  // namespace gw::config
