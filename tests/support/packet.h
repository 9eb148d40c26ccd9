// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/ip.h"

/// Real packets, said shortly: `ipv4("172.16.201.5", "10.1.1.7") / tcp(22)`. Lengths and checksums are right unless a
/// test spoils them on purpose. Values; no I/O.
namespace gw::test {

using Bytes = std::vector<uint8_t>;

inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;

/// What follows the IP header.
struct Transport {
  uint8_t protocol = 0;
  uint16_t sport = 0;  ///< ICMP: identifier
  uint16_t dport = 0;  ///< ICMP: type << 8 | code
  uint8_t flags = 0;   ///< TCP
  Bytes payload;
  bool raw = false;  ///< `payload` is all there is

  [[nodiscard]] Transport from(uint16_t port) const;
  [[nodiscard]] Transport with(uint8_t tcp_flags) const;
  [[nodiscard]] Transport carrying(Bytes bytes) const;
};

Transport tcp(uint16_t dport);  ///< a SYN from port 40000
Transport udp(uint16_t dport);  ///< from port 40000
/// ICMP, or ICMPv6 when it is put on an IPv6 header: the type is that of the family.
Transport icmp(uint8_t type, uint8_t code = 0, uint16_t id = 7);
Transport protocol(uint8_t number);

struct IpHeader {
  IpAddress source;
  IpAddress destination;
  uint8_t hop_limit = 64;
  bool operator==(const IpHeader&) const = default;
};
IpHeader ipv4(std::string_view source, std::string_view destination);
IpHeader ipv6(std::string_view source, std::string_view destination);

struct Extension {
  uint8_t type = 0;
  Bytes body;  ///< after the next-header byte
};

/// A whole packet. Every `with`-like call gives a changed copy.
struct Packet {
  IpHeader ip;
  Transport transport;
  std::vector<Extension> extensions;  ///< IPv6

  [[nodiscard]] Bytes layer3() const;
  [[nodiscard]] Bytes ethernet() const;
  /// With 802.1Q tags in the bytes, outermost first.
  [[nodiscard]] Bytes ethernet(const std::vector<uint16_t>& tags) const;
  /// What the other side would send back: addresses and ports swapped, TCP with `flags`, ICMP with the answer's type.
  [[nodiscard]] Packet reply(uint8_t flags = kSyn | kAck) const;
  [[nodiscard]] Packet with(uint8_t tcp_flags) const;
  [[nodiscard]] Packet extended(uint8_t type, Bytes body) const;
};
Packet operator/(const IpHeader& ip, const Transport& transport);

/// `packet` cut in two IP fragments after `at` bytes of its IP payload (a multiple of 8).
std::pair<Bytes, Bytes> fragments(const Packet& packet, size_t at, uint32_t id);
/// Ethernet around a layer-3 packet.
Bytes framed(const Bytes& layer3, const std::vector<uint16_t>& tags = {});
/// The ICMP error that `router` sends to the source of `packet`: IPv4 type and code, or IPv6's.
Packet icmp_error(std::string_view router, const Packet& packet, uint8_t type, uint8_t code);

}  // namespace gw::test
