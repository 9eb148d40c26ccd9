// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packet.h"

#include <netinet/in.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gw::test {
namespace {

constexpr size_t kIpv4Header = 20;
constexpr size_t kIpv6Header = 40;
constexpr uint8_t kFragmentHeader = 44;

void put16(Bytes& out, uint32_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8U));
  out.push_back(static_cast<uint8_t>(value));
}

void put32(Bytes& out, uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 0xffffU);
}

void set16(Bytes& out, size_t at, uint32_t value) {
  out.at(at) = static_cast<uint8_t>(value >> 8U);
  out.at(at + 1) = static_cast<uint8_t>(value);
}

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

void put_address(Bytes& out, const IpAddress& address) {
  out.insert(out.end(), address.bytes.begin(), address.bytes.begin() + address.bits() / 8);
}

/// RFC 1071.
uint16_t checksum(const Bytes& data) {
  uint32_t sum = 0;
  for (size_t i = 0; i < data.size(); ++i) sum += i % 2 == 0 ? static_cast<uint32_t>(data[i]) << 8U : data[i];
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<uint16_t>(~sum);
}

uint8_t protocol_of(const Packet& packet) {
  const bool v6 = packet.ip.source.family == Family::v6;
  if (v6 && packet.transport.protocol == IPPROTO_ICMP) return IPPROTO_ICMPV6;
  return packet.transport.protocol;
}

Bytes headers_and_payload(const Transport& transport, uint8_t protocol) {
  Bytes out;
  if (transport.raw) return transport.payload;
  if (protocol == IPPROTO_TCP) {
    put16(out, transport.sport);
    put16(out, transport.dport);
    put32(out, 1);
    put32(out, (transport.flags & kAck) != 0 ? 1 : 0);
    put16(out, 0x5000U | transport.flags);
    put16(out, 0xffff);
    put32(out, 0);
  } else if (protocol == IPPROTO_UDP) {
    put16(out, transport.sport);
    put16(out, transport.dport);
    put16(out, static_cast<uint32_t>(8 + transport.payload.size()));
    put16(out, 0);
  } else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
    put16(out, transport.dport);
    put16(out, 0);
    put16(out, transport.sport);
    put16(out, 1);
  }
  append(out, transport.payload);
  return out;
}

/// The transport with its checksum, which but for ICMP covers a pseudo-header (RFC 793, RFC 8200 section 8.1).
Bytes segment(const Packet& packet) {
  const uint8_t protocol = protocol_of(packet);
  Bytes out = headers_and_payload(packet.transport, protocol);
  if (packet.transport.raw) return out;
  Bytes covered;
  if (protocol != IPPROTO_ICMP) {
    put_address(covered, packet.ip.source);
    put_address(covered, packet.ip.destination);
    put32(covered, static_cast<uint32_t>(out.size()));
    put32(covered, protocol);
  }
  append(covered, out);
  if (protocol == IPPROTO_TCP) set16(out, 16, checksum(covered));
  if (protocol == IPPROTO_UDP) set16(out, 6, checksum(covered));
  if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) set16(out, 2, checksum(covered));
  return out;
}

Bytes ipv4_packet(const IpHeader& ip, uint8_t protocol, const Bytes& body, uint32_t id, uint32_t fragment,
                  const Bytes& options = {}) {
  Bytes out;
  const size_t header = kIpv4Header + options.size();
  put16(out, static_cast<uint32_t>(0x4000U | header / 4 << 8U));
  put16(out, static_cast<uint32_t>(header + body.size()));
  put16(out, id);
  put16(out, fragment);
  put16(out, static_cast<uint32_t>(ip.hop_limit << 8U | protocol));
  put16(out, 0);
  put_address(out, ip.source);
  put_address(out, ip.destination);
  append(out, options);
  set16(out, 10, checksum(out));
  append(out, body);
  return out;
}

Bytes ipv6_packet(const IpHeader& ip, uint8_t next, const Bytes& body) {
  Bytes out;
  put32(out, 0x60000000);
  put16(out, static_cast<uint32_t>(body.size()));
  put16(out, static_cast<uint32_t>(next << 8U | ip.hop_limit));
  put_address(out, ip.source);
  put_address(out, ip.destination);
  append(out, body);
  return out;
}

/// Behind its extension headers, of which the fragment header comes last.
Bytes extended_packet(const Packet& packet, const Bytes& body) {
  std::vector<Extension> all = packet.extensions;
  if (packet.cut) {
    Bytes rest = {0};
    put16(rest, static_cast<uint32_t>(packet.cut->from | (packet.cut->more ? 1U : 0U)));
    put32(rest, packet.cut->id);
    all.push_back({kFragmentHeader, rest});
  }
  Bytes out;
  for (size_t i = 0; i < all.size(); ++i) {
    out.push_back(i + 1 < all.size() ? all[i + 1].type : protocol_of(packet));
    append(out, all[i].body);
  }
  append(out, body);
  return ipv6_packet(packet.ip, all.empty() ? protocol_of(packet) : all.front().type, out);
}

IpHeader header(std::string_view source, std::string_view destination, Family family) {
  const auto from = IpAddress::parse(source);
  const auto to = IpAddress::parse(destination);
  if (!from || !to || from->family != family || to->family != family)
    throw std::invalid_argument("not a pair of addresses: " + std::string(source) + ", " + std::string(destination));
  return {*from, *to};
}

uint16_t answer_to(uint16_t type_and_code, Family family) {
  const unsigned type = type_and_code >> 8U;
  if (family == Family::v6) return static_cast<uint16_t>((type + 1) << 8U);
  return static_cast<uint16_t>((type == 8 ? 0 : type + 1) << 8U);
}

}  // namespace

Transport Transport::from(uint16_t port) const {
  Transport out = *this;
  out.sport = port;
  return out;
}

Transport Transport::with(uint8_t tcp_flags) const {
  Transport out = *this;
  out.flags = tcp_flags;
  return out;
}

Transport Transport::carrying(Bytes bytes) const {
  Transport out = *this;
  out.payload = std::move(bytes);
  return out;
}

Transport tcp(uint16_t dport) {
  return {.protocol = IPPROTO_TCP, .sport = 40000, .dport = dport, .flags = kSyn, .payload = {}};
}
Transport udp(uint16_t dport) { return {.protocol = IPPROTO_UDP, .sport = 40000, .dport = dport, .payload = {}}; }
Transport icmp(uint8_t type, uint8_t code, uint16_t id) {
  return {.protocol = IPPROTO_ICMP, .sport = id, .dport = static_cast<uint16_t>(type << 8U | code), .payload = {}};
}
Transport protocol(uint8_t number) { return {.protocol = number, .payload = Bytes(16)}; }

IpHeader ipv4(std::string_view source, std::string_view destination) { return header(source, destination, Family::v4); }
IpHeader ipv6(std::string_view source, std::string_view destination) { return header(source, destination, Family::v6); }

Packet operator/(const IpHeader& ip, const Transport& transport) { return {ip, transport, {}}; }

Bytes Packet::layer3() const {
  Bytes body = segment(*this);
  if (cut)
    body = Bytes(body.begin() + static_cast<ptrdiff_t>(cut->from), body.begin() + static_cast<ptrdiff_t>(cut->to));
  Bytes out;
  if (ip.source.family == Family::v4) {
    const size_t fragment = cut ? cut->from / 8 | (cut->more ? 0x2000U : 0U) : 0;
    out = ipv4_packet(ip, protocol_of(*this), body, cut ? cut->id : 1, static_cast<uint32_t>(fragment), options);
  } else {
    out = extended_packet(*this, body);
  }
  for (const auto& fault : faults) fault(out);
  return out;
}

Bytes Packet::ethernet() const { return framed(layer3()); }
Bytes Packet::ethernet(const std::vector<uint16_t>& tags) const { return framed(layer3(), tags); }

Packet Packet::reply(uint8_t flags) const {
  Packet out = *this;
  std::swap(out.ip.source, out.ip.destination);
  if (transport.protocol == IPPROTO_ICMP) {
    out.transport.dport = answer_to(transport.dport, ip.source.family);
  } else {
    std::swap(out.transport.sport, out.transport.dport);
    out.transport.flags = flags;
  }
  return out;
}

Packet Packet::with(uint8_t tcp_flags) const {
  Packet out = *this;
  out.transport.flags = tcp_flags;
  return out;
}

Packet Packet::extended(uint8_t type, Bytes body) const {
  Packet out = *this;
  out.extensions.push_back({type, std::move(body)});
  return out;
}

Packet Packet::with_options(Bytes bytes) const {
  Packet out = *this;
  out.options = std::move(bytes);
  return out;
}

Packet Packet::piece(size_t from, size_t to, uint32_t id) const {
  const size_t all = segment(*this).size();
  return piece({.from = from, .to = std::min(to, all), .more = to < all, .id = id});
}

Packet Packet::piece(const Piece& piece) const {
  if (piece.from % 8 != 0 || piece.to < piece.from || piece.to > segment(*this).size())
    throw std::invalid_argument("pieces begin at multiples of 8 and lie within the datagram");
  Packet out = *this;
  out.cut = piece;
  return out;
}

Packet Packet::but(size_t at, uint8_t value) const {
  Packet out = *this;
  out.faults.emplace_back([at, value](Bytes& bytes) { bytes.at(at) = value; });
  return out;
}

Packet Packet::about(const Packet& packet) const {
  Packet out = *this;
  out.transport.payload = packet.layer3();
  return out;
}

Packet Packet::resized(size_t bytes) const {
  Packet out = *this;
  out.faults.emplace_back([bytes](Bytes& all) { all.resize(bytes); });
  return out;
}

std::pair<Bytes, Bytes> fragments(const Packet& packet, size_t at, uint32_t id) {
  const size_t all = segment(packet).size();
  if (at >= all) throw std::invalid_argument("nothing is left for a second fragment");
  return {packet.piece(0, at, id).layer3(), packet.piece(at, all, id).layer3()};
}

Bytes framed(const Bytes& layer3, const std::vector<uint16_t>& tags) {
  Bytes out = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  for (const uint16_t tag : tags) {
    put16(out, 0x8100);
    put16(out, tag);
  }
  put16(out, layer3.front() >> 4U == 6 ? 0x86dd : 0x0800);
  append(out, layer3);
  return out;
}

Packet icmp_error(std::string_view router, const Packet& packet, uint8_t type, uint8_t code) {
  Packet out;
  out.ip = {IpAddress::parse(router).value(), packet.ip.source};
  out.transport = icmp(type, code, 0);
  out.transport.payload = packet.layer3();
  const size_t limit = packet.ip.source.family == Family::v4 ? kIpv4Header + 8 : kIpv6Header + 1180;
  out.transport.payload.resize(std::min(out.transport.payload.size(), limit));
  return out;
}

}  // namespace gw::test
