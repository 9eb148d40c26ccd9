// SPDX-License-Identifier: Apache-2.0
#include "tests/support/guard_reference.h"

#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "tests/support/wireguard_message.h"

namespace gw::test {
namespace {

constexpr int kMaxExtensions = 6;

/// Bytes of a frame from some offset on; every read says whether the frame had it.
struct View {
  const Bytes& frame;
  size_t at = 0;

  [[nodiscard]] bool has(size_t size) const { return at + size <= frame.size(); }
  [[nodiscard]] uint32_t byte(size_t offset) const { return frame.at(at + offset); }
  [[nodiscard]] uint32_t be16(size_t offset) const { return byte(offset) << 8U | byte(offset + 1); }
  [[nodiscard]] Bytes slice(size_t offset, size_t size) const {
    const auto start = frame.begin() + static_cast<std::ptrdiff_t>(at + offset);
    return {start, start + static_cast<std::ptrdiff_t>(size)};
  }
  [[nodiscard]] IpAddress address(size_t offset, Family family) const {
    IpAddress out{family, {}};
    std::ranges::copy(slice(offset, family == Family::v4 ? 4 : 16), out.bytes.begin());
    return out;
  }
};

enum class Piece : uint8_t { whole, first, later };

struct Datagram {
  IpAddress source, destination;
  View body;        ///< behind the IP header
  size_t size = 0;  ///< of the body, as IP has it
  uint32_t protocol = 0;
  Piece piece = Piece::whole;
};

std::optional<Datagram> read_ipv4(View ip, bool assembled) {
  if (!ip.has(20) || ip.byte(0) >> 4U != 4) return std::nullopt;
  const size_t header = (ip.byte(0) & 0xfU) * 4;
  size_t total = ip.be16(2);
  if (total == 0 && assembled) total = ip.frame.size() - ip.at;
  if (header < 20 || total < header) return std::nullopt;
  Datagram out{ip.address(12, Family::v4),
               ip.address(16, Family::v4),
               {ip.frame, ip.at + header},
               total - header,
               ip.byte(9),
               Piece::whole};
  if ((ip.be16(6) & 0x1fffU) != 0) {
    out.piece = Piece::later;
  } else if ((ip.be16(6) & 0x2000U) != 0) {
    out.piece = Piece::first;
  }
  return out;
}

std::optional<Datagram> read_ipv6(View ip, bool assembled) {
  if (!ip.has(40) || ip.byte(0) >> 4U != 6) return std::nullopt;
  size_t size = ip.be16(4);
  if (size == 0 && assembled) size = ip.frame.size() - ip.at - 40;
  return Datagram{
      ip.address(8, Family::v6), ip.address(24, Family::v6), {ip.frame, ip.at + 40}, size, ip.byte(6), Piece::whole};
}

std::optional<Datagram> read_frame(const Bytes& frame, bool assembled) {
  View at{frame, 14};
  if (frame.size() < 14) return std::nullopt;
  uint32_t type = View{frame, 12}.be16(0);
  if (type == 0x8100) {
    if (!at.has(4)) return std::nullopt;
    type = at.be16(2);
    at.at += 4;
  }
  if (type == 0x0800) return read_ipv4(at, assembled);
  if (type == 0x86dd) return read_ipv6(at, assembled);
  return std::nullopt;
}

/// False when they are not as they should be.
bool skip_extensions(Datagram& datagram) {
  bool fragmented = false;
  for (int i = 0; i < kMaxExtensions; ++i) {
    const uint32_t type = datagram.protocol;
    if (type != IPPROTO_HOPOPTS && type != IPPROTO_DSTOPTS && type != IPPROTO_ROUTING && type != IPPROTO_FRAGMENT)
      return true;
    if (datagram.size < 8 || !datagram.body.has(8)) return false;
    const View head = datagram.body;
    const size_t size = type == IPPROTO_FRAGMENT ? 8 : (head.byte(1) + 1) * 8;
    if (size > datagram.size) return false;
    datagram.body.at += size;
    datagram.size -= size;
    datagram.protocol = head.byte(0);
    if (type != IPPROTO_FRAGMENT) continue;
    if (fragmented) return false;
    fragmented = true;
    if ((head.be16(2) & 0xfff8U) != 0) {
      datagram.piece = Piece::later;
      return true;
    }
    if ((head.be16(2) & 1U) != 0) datagram.piece = Piece::first;
  }
  return false;
}

gw_reason judge_message(View message, size_t size, const GuardScene& scene) {
  if (size < 4 || !message.has(4)) return GW_REASON_WG_LENGTH;
  const Bytes type = message.slice(0, 4);
  if (type[1] != 0 || type[2] != 0 || type[3] != 0 || type[0] < 1 || type[0] > 4) return GW_REASON_WG_TYPE;
  const bool fits = (type[0] == 1 && size == 148) || (type[0] == 2 && size == 92) || (type[0] == 3 && size == 64) ||
                    (type[0] == 4 && size >= 32);
  if (!fits) return GW_REASON_WG_LENGTH;
  if (type[0] > 2) return GW_REASON_NONE;
  const size_t covered = type[0] == 1 ? 116 : 60;
  if (!message.has(covered + 16)) return GW_REASON_WG_LENGTH;
  return message.slice(covered, 16) == mac1_of(message.slice(0, covered), scene.public_key) ? GW_REASON_NONE
                                                                                            : GW_REASON_WG_MAC1;
}

gw_reason judge_udp(const Datagram& datagram, const GuardScene& scene, size_t segment) {
  if (datagram.piece == Piece::later) return GW_REASON_NONE;
  const View udp = datagram.body;
  if (datagram.size < 8 || !udp.has(8))
    return datagram.piece == Piece::first ? GW_REASON_FRAGMENT : GW_REASON_MALFORMED;
  if (udp.be16(2) != scene.port || scene.port == 0) return GW_REASON_NONE;
  if (datagram.piece == Piece::first) {
    const bool data = datagram.size >= 16 && udp.has(12) && udp.slice(8, 4) == Bytes{4, 0, 0, 0};
    return data ? GW_REASON_NONE : GW_REASON_WG_FRAGMENT;
  }
  const size_t length = udp.be16(4) == 0 ? datagram.size : udp.be16(4);
  if (length < 8 || length > datagram.size) return GW_REASON_WG_LENGTH;
  View message{udp.frame, udp.at + 8};
  for (size_t rest = length - 8;;) {
    const size_t part = segment == 0 ? rest : std::min(rest, segment);
    if (const gw_reason reason = judge_message(message, part, scene); reason != GW_REASON_NONE) return reason;
    rest -= part;
    message.at += part;
    if (rest == 0) return GW_REASON_NONE;
  }
}

bool is_mapped(const IpAddress& address) {
  return address.family == Family::v6 && IpAddress::from_mapped(address.bytes).family == Family::v4;
}

}  // namespace

gw_reason guard_reference(const Bytes& frame, const GuardScene& scene, bool assembled, size_t segment) {
  auto datagram = read_frame(frame, assembled);
  if (!datagram || !scene.ours.contains(IpAddress::from_mapped(datagram->destination.mapped()))) return GW_REASON_NONE;
  const IpAddress source = IpAddress::from_mapped(datagram->source.mapped());
  // The longest one decides, whether it has ended or not.
  const std::pair<const Prefix, uint64_t>* block = nullptr;
  for (const auto& entry : scene.blocks) {
    if (entry.first.contains(source) && (block == nullptr || entry.first.length > block->first.length)) block = &entry;
  }
  if (block != nullptr && scene.wall_ns < block->second) return GW_REASON_BLOCKED;
  if (datagram->source.family == Family::v6) {
    if (is_mapped(datagram->source) || is_mapped(datagram->destination)) return GW_REASON_MALFORMED;
    if (!skip_extensions(*datagram)) return GW_REASON_MALFORMED;
  }
  return datagram->protocol == IPPROTO_UDP ? judge_udp(*datagram, scene, segment) : GW_REASON_NONE;
}

}  // namespace gw::test
