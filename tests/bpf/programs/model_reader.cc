// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/model_reader.h"

#include <array>
#include <set>
#include <span>

namespace gw::test::model {
namespace {

constexpr uint8_t kHopByHop = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kRouting = 43, kFragment = 44, kIcmp6 = 58,
                  kDestination = 60;

using View = std::span<const uint8_t>;

uint16_t be16(View bytes, size_t at) { return static_cast<uint16_t>(bytes[at] << 8U | bytes[at + 1]); }
uint32_t be32(View bytes, size_t at) { return static_cast<uint32_t>(be16(bytes, at)) << 16U | be16(bytes, at + 2); }

IpAddress address(View bytes, Family family) {
  IpAddress out;
  out.family = family;
  for (size_t i = 0; i < bytes.size(); ++i) out.bytes.at(i) = bytes[i];
  return out;
}

bool mapped(View bytes) {
  for (size_t i = 0; i < 10; ++i) {
    if (bytes[i] != 0) return false;
  }
  return bytes[10] == 0xff && bytes[11] == 0xff;
}

bool is_error(uint8_t protocol, uint8_t type) {
  if (protocol == kIcmp) return type == 3 || type == 11 || type == 12;
  return protocol == kIcmp6 && type >= 1 && type <= 4;
}

bool possible_flags(uint8_t flags) {
  static const std::set<uint8_t> kKnown = {kSyn,        kSyn | kUrg, kSyn | kAck,       kRst, kRst | kAck, kAck,
                                           kAck | kUrg, kFin | kAck, kFin | kAck | kUrg};
  return kKnown.contains(flags & (kFin | kSyn | kRst | kAck | kUrg));
}

/// What an ICMP error quotes: nullopt unless it is a packet without extensions whose ports can be read.
std::optional<Tuple> read_quote(View quote, uint8_t icmp) {
  const bool v4 = icmp == kIcmp;
  if (quote.size() < (v4 ? 20U : 40U) || quote[0] >> 4U != (v4 ? 4 : 6)) return std::nullopt;
  Tuple out;
  size_t header = 40;
  if (v4) {
    header = size_t{quote[0] & 0xfU} * 4;
    if (header < 20 || (be16(quote, 6) & 0x1fffU) != 0) return std::nullopt;
    out.source = address(quote.subspan(12, 4), Family::v4);
    out.destination = address(quote.subspan(16, 4), Family::v4);
    out.protocol = quote[9];
  } else {
    // The programs keep IPv4 addresses as mapped ones: none may be read out of IPv6.
    out.source = address(quote.subspan(8, 16), Family::v6);
    out.destination = address(quote.subspan(24, 16), Family::v6);
    out.protocol = quote[6];
  }
  if (quote.size() < header + 8) return std::nullopt;
  const View l4 = quote.subspan(header, 8);
  if (out.protocol == kTcp || out.protocol == kUdp) {
    out.sport = be16(l4, 0);
    out.dport = be16(l4, 2);
  } else if (out.icmp()) {
    if (is_error(out.protocol, l4[0])) return std::nullopt;
    out.dport = be16(l4, 0);
    if (query_of(out.protocol, l4[0]).role != Role::neither) out.sport = be16(l4, 4);
  }
  return out;
}

/// The part above IP. `rest`: what the skb has from the ICMP header on; `payload` ends where the IP length says.
Reading read_transport(Read read, View payload, View rest, bool ethernet, uint8_t hop_limit) {
  const gw_reason cut = read.place == Place::first ? GW_REASON_FRAGMENT : GW_REASON_MALFORMED;
  Tuple& tuple = read.tuple;
  if (read.place == Place::later) return read;
  if (tuple.protocol == kTcp) {
    if (payload.size() < 20) return cut;
    if (payload[12] >> 4U < 5) return GW_REASON_MALFORMED;
    if (size_t{payload[12]} / 16 * 4 > payload.size()) return cut;
    if (!possible_flags(payload[13])) return GW_REASON_TCP_FLAGS;
    tuple.sport = be16(payload, 0);
    tuple.dport = be16(payload, 2);
    read.tcp_flags = payload[13];
  } else if (tuple.protocol == kUdp) {
    if (payload.size() < 8) return cut;
    const uint16_t length = be16(payload, 4);
    if (length < 8 || (read.place == Place::whole && length > payload.size())) return GW_REASON_MALFORMED;
    tuple.sport = be16(payload, 0);
    tuple.dport = be16(payload, 2);
    const auto is = [&](const std::set<uint16_t>& a, const std::set<uint16_t>& b) {
      return a.contains(tuple.sport) && b.contains(tuple.dport);
    };
    if (ethernet && (is({67, 68}, {67, 68}) || is({546}, {547}) || is({547}, {546}))) return OnLink{};
  } else if (tuple.icmp()) {
    if (payload.size() < 8) return cut;
    tuple.dport = be16(payload, 0);
    if (query_of(tuple.protocol, payload[0]).role != Role::neither) tuple.sport = be16(payload, 4);
    if (ethernet && tuple.protocol == kIcmp6 && hop_limit == 255 && payload[0] >= 133 && payload[0] <= 137)
      return OnLink{};
    read.error = is_error(tuple.protocol, payload[0]);
    if (read.error) read.quoted = read_quote(rest.subspan(8), tuple.protocol);
  }
  return read;
}

/// What is wrong with a piece of a datagram.
bool bad_piece(const Read& read, View payload, size_t offset, bool more) {
  return payload.empty() || (more && payload.size() % 8 != 0) || offset + payload.size() > 65535 ||
         (read.fragment_protocol == kTcp && offset == 8);
}

std::optional<gw_reason> check_options(View options) {
  size_t at = 0;
  while (at < options.size() && options[at] != 0) {
    if (options[at] == 1) {
      ++at;
      continue;
    }
    if (at + 2 > options.size() || options[at + 1] < 2 || at + options[at + 1] > options.size())
      return GW_REASON_MALFORMED;
    if (options[at] == 131 || options[at] == 137) return GW_REASON_SOURCE_ROUTE;
    at += options[at + 1];
  }
  return std::nullopt;
}

Reading read_ipv4(View bytes, bool ethernet) {
  if (bytes.size() < 20 || bytes[0] >> 4U != 4) return GW_REASON_MALFORMED;
  const size_t header = size_t{bytes[0] & 0xfU} * 4;
  const size_t total = be16(bytes, 2);
  if (header < 20 || total < header || total > bytes.size()) return GW_REASON_MALFORMED;
  if (bytes[16] >> 4U == 14 || be32(bytes, 16) == 0xffffffffU) return OnLink{};
  Read read;
  read.tuple = {address(bytes.subspan(12, 4), Family::v4), address(bytes.subspan(16, 4), Family::v4), bytes[9]};
  const View payload = bytes.subspan(header, total - header);
  const uint16_t fragment = be16(bytes, 6);
  const size_t offset = size_t{fragment & 0x1fffU} * 8;
  const bool more = (fragment & 0x2000U) != 0;
  if (offset != 0 || more) {
    read.place = offset != 0 ? Place::later : Place::first;
    read.id = be16(bytes, 4);
    read.fragment_protocol = bytes[9];
    if (bad_piece(read, payload, offset, more)) return GW_REASON_FRAGMENT;
  }
  if (const auto wrong = check_options(bytes.subspan(20, header - 20))) return *wrong;
  if (bytes[9] == kIcmp6) return GW_REASON_MALFORMED;
  return read_transport(read, payload, bytes.subspan(header), ethernet, 0);
}

/// Takes one extension header off `payload`; nullopt when it is a whole one of no offence.
std::optional<gw_reason> skip_extension(Read& read, View& payload, View& rest, uint8_t& next, bool first) {
  const gw_reason cut = read.place == Place::first ? GW_REASON_FRAGMENT : GW_REASON_MALFORMED;
  if (payload.size() < 8) return cut;
  const View head = payload.first(8);
  const size_t length = next == kFragment ? 8 : (size_t{head[1]} + 1) * 8;
  if (length > payload.size()) return cut;
  if (next == kHopByHop && !first) return GW_REASON_MALFORMED;
  if (next == kRouting && (head[2] == 0 || head[3] != 0)) return GW_REASON_SOURCE_ROUTE;
  payload = payload.subspan(length);
  rest = rest.subspan(length);
  if (next == kFragment) {
    if (read.fragment_protocol != 0) return GW_REASON_MALFORMED;
    read.id = be32(head, 4);
    read.fragment_protocol = head[0];
    const size_t offset = be16(head, 2) & 0xfff8U;
    const bool more = (head[3] & 1U) != 0;
    if (offset != 0 || more) {
      read.place = offset != 0 ? Place::later : Place::first;
      if (bad_piece(read, payload, offset, more)) return GW_REASON_FRAGMENT;
    }
  }
  next = head[0];
  return std::nullopt;
}

Reading read_ipv6(View bytes, bool ethernet) {
  if (bytes.size() < 40 || bytes[0] >> 4U != 6) return GW_REASON_MALFORMED;
  const size_t length = be16(bytes, 4);
  if (length > bytes.size() - 40) return GW_REASON_MALFORMED;
  if (mapped(bytes.subspan(8, 16)) || mapped(bytes.subspan(24, 16))) return GW_REASON_MALFORMED;
  if (bytes[24] == 0xff || (bytes[24] == 0xfe && bytes[25] >> 6U == 2)) return OnLink{};
  Read read;
  read.tuple = {address(bytes.subspan(8, 16), Family::v6), address(bytes.subspan(24, 16), Family::v6)};
  View payload = bytes.subspan(40, length);
  View rest = bytes.subspan(40);
  uint8_t next = bytes[6];
  static const std::set<uint8_t> kExtensions = {kHopByHop, kRouting, kFragment, kDestination};
  // Five extensions at most, and what comes behind them.
  for (int count = 0; kExtensions.contains(next) && read.place != Place::later; ++count) {
    if (const auto wrong = skip_extension(read, payload, rest, next, count == 0)) return *wrong;
    if (count == 5 && read.place != Place::later) return GW_REASON_MALFORMED;
  }
  read.tuple.protocol = next;
  if (next == kIcmp) return GW_REASON_MALFORMED;
  return read_transport(read, payload, rest, ethernet, bytes[7]);
}

}  // namespace

bool Tuple::icmp() const { return protocol == kIcmp || protocol == kIcmp6; }

Query query_of(uint8_t protocol, uint8_t type) {
  if (protocol == kIcmp6) {
    if (type == 128) return {Role::asks, 128};
    return type == 129 ? Query{Role::answers, 128} : Query{};
  }
  if (type == 0) return {Role::answers, 8};
  if (type == 8 || type == 13 || type == 15 || type == 17) return {Role::asks, type};
  if (type == 14 || type == 16 || type == 18) return {Role::answers, static_cast<uint8_t>(type - 1)};
  return {};
}

Reading read_layer3(const Bytes& packet) {
  if (packet.empty()) return GW_REASON_MALFORMED;
  if (packet[0] >> 4U == 4) return read_ipv4(packet, false);
  if (packet[0] >> 4U == 6) return read_ipv6(packet, false);
  return GW_REASON_PROTOCOL;
}

Reading read_frame(const Bytes& frame, const std::function<bool(uint16_t)>& vlan) {
  View bytes(frame);
  if (bytes.size() < 14) return GW_REASON_MALFORMED;
  uint16_t type = be16(bytes, 12);
  bytes = bytes.subspan(14);
  if (type == 0x8100) {
    if (bytes.size() < 4) return GW_REASON_MALFORMED;
    const uint16_t vid = be16(bytes, 0) & 0xfffU;
    if (vid != 0) return vlan(vid) ? Reading(OnLink{}) : Reading(GW_REASON_VLAN);
    type = be16(bytes, 2);
    bytes = bytes.subspan(4);
  }
  if (type == 0x0800) return read_ipv4(bytes, true);
  if (type == 0x86dd) return read_ipv6(bytes, true);
  if (type == 0x0806) return OnLink{};
  return type == 0x8100 || type == 0x88a8 ? GW_REASON_VLAN : GW_REASON_PROTOCOL;
}

}  // namespace gw::test::model
