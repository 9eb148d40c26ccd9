// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/ip.h"

/// Real packets, said shortly: `ipv4("172.16.201.5", "10.1.1.7") / tcp(22)`. Lengths and checksums are right unless a
/// test spoils them on purpose. Values; no I/O.
namespace gw::test {

using Bytes = std::vector<uint8_t>;

inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20;

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

/// A piece of a datagram: bytes [from, to) of its IP payload, `from` a multiple of 8.
struct Piece {
  size_t from = 0;
  size_t to = 0;
  bool more = false;  ///< the flag, whatever is true
  uint32_t id = 0;
};

/// A packet. Every `with`-like call gives a changed copy.
struct Packet {
  IpHeader ip;
  Transport transport;
  std::vector<Extension> extensions = {};  ///< IPv6; before the fragment header, when there is one
  Bytes options = {};                      ///< IPv4; a multiple of 4 bytes
  std::optional<Piece> cut = std::nullopt;
  std::vector<std::function<void(Bytes&)>> faults = {};  ///< done to the bytes from the IP header on, at the very end

  [[nodiscard]] Bytes layer3() const;
  [[nodiscard]] Bytes ethernet() const;
  /// With 802.1Q tags in the bytes, outermost first.
  [[nodiscard]] Bytes ethernet(const std::vector<uint16_t>& tags) const;
  /// What the other side would send back: addresses and ports swapped, TCP with `flags`, ICMP with the answer's type.
  [[nodiscard]] Packet reply(uint8_t flags = kSyn | kAck) const;
  [[nodiscard]] Packet with(uint8_t tcp_flags) const;
  [[nodiscard]] Packet extended(uint8_t type, Bytes body) const;
  [[nodiscard]] Packet with_options(Bytes bytes) const;
  /// The piece with bytes [from, to) of the IP payload; `more` unless it is the last.
  [[nodiscard]] Packet piece(size_t from, size_t to, uint32_t id) const;
  [[nodiscard]] Packet piece(const Piece& piece) const;
  /// One byte of the packet set to something else.
  [[nodiscard]] Packet but(size_t at, uint8_t value) const;
  /// Cut off, or filled up with zeros, to so many bytes from the IP header on.
  [[nodiscard]] Packet resized(size_t bytes) const;
  /// An ICMP error that quotes `packet` whole instead.
  [[nodiscard]] Packet about(const Packet& packet) const;
};
Packet operator/(const IpHeader& ip, const Transport& transport);

/// `packet` cut in two IP fragments after `at` bytes of its IP payload (a multiple of 8).
std::pair<Bytes, Bytes> fragments(const Packet& packet, size_t at, uint32_t id);
/// Ethernet around a layer-3 packet.
Bytes framed(const Bytes& layer3, const std::vector<uint16_t>& tags = {});
/// The ICMP error that `router` sends to the source of `packet`: IPv4 type and code, or IPv6's.
Packet icmp_error(std::string_view router, const Packet& packet, uint8_t type, uint8_t code);

}  // namespace gw::test
