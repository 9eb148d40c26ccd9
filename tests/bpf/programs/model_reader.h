// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <variant>

#include "bpf/abi.h"
#include "gatewayd/base/ip.h"
#include "tests/support/packet.h"

/// A second reading of packets, in plain C++ and with nothing of the programs' code: what random packets are compared
/// with. Written for clarity from RFC 791, 768, 792, 4443, 8200, 9293 and DATAPLANE "The verdict".
namespace gw::test::model {

struct Tuple {
  IpAddress source;
  IpAddress destination;
  uint8_t protocol = 0;
  uint16_t sport = 0;  ///< ICMP queries and their answers: identifier
  uint16_t dport = 0;  ///< ICMP: type << 8 | code
  auto operator<=>(const Tuple&) const = default;
  [[nodiscard]] bool icmp() const;
};

enum class Place : uint8_t { whole, first, later };

/// A packet that is to be judged.
struct Read {
  Tuple tuple;  ///< of a later fragment: without ports
  Place place = Place::whole;
  uint32_t id = 0;                ///< of the fragments' datagram
  uint8_t fragment_protocol = 0;  ///< what all of its fragments say is inside
  uint8_t tcp_flags = 0;
  std::optional<Tuple> quoted;  ///< an ICMP error's, when it can be read
  bool error = false;           ///< an ICMP error
};

struct OnLink {};  ///< passes unmarked and is never forwarded
using Reading = std::variant<Read, OnLink, gw_reason>;

/// `vlan`: whether a VID is configured on the device.
Reading read_frame(const Bytes& frame, const std::function<bool(uint16_t)>& vlan);
Reading read_layer3(const Bytes& packet);

enum class Role : uint8_t { neither, asks, answers };
struct Query {
  Role role = Role::neither;
  uint8_t type = 0;  ///< of the question
};
Query query_of(uint8_t protocol, uint8_t type);

}  // namespace gw::test::model
