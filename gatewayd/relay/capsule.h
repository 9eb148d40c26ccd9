// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gatewayd/base/result.h"

/// UDP datagrams in a stream of bytes, as connect-udp (RFC 9298) carries them: capsules (RFC 9297 §3.2) of type
/// DATAGRAM (§3.5) with context 0 (RFC 9298 §5).
namespace gw::relay {

using Bytes = std::span<const uint8_t>;

/// More than any WireGuard packet: its tunnel's MTU and 80 bytes.
inline constexpr size_t kMostPayload = 16384;
/// What a datagram takes beside its payload, at most.
inline constexpr size_t kMostFrame = 6;

struct Varint {
  uint64_t value = 0;
  size_t size = 0;  ///< bytes that it takes
  bool operator==(const Varint&) const = default;
};
/// A variable-length integer (RFC 9000 §16) at the start of `bytes`, of any of its spellings; nullopt: it goes on
/// beyond them.
std::optional<Varint> read_varint(Bytes bytes);
/// Writes the shortest spelling of `value`, below 2^62, to `out`, which has room for 8; the bytes it took.
size_t write_varint(uint64_t value, uint8_t* out);

/// Datagrams to be sent, in capsules. It never grows: who fills it looks for room first.
class Batch {
 public:
  explicit Batch(size_t size) : buffer_(size) {}

  /// Where the payload of the next datagram goes; empty: there is no room for the longest.
  std::span<uint8_t> room();
  /// The first `size` bytes of that room are a payload.
  void add(size_t size);
  [[nodiscard]] Bytes bytes() const { return {buffer_.data(), used_}; }
  void clear() { used_ = 0; }

 private:
  std::vector<uint8_t> buffer_;
  size_t used_ = 0;
};

/// Takes a stream of capsules apart. Capsules of other types are passed over, whatever their length, and so are
/// datagrams of other contexts. It holds one capsule and what was read with it, and never grows.
class Reader {
 public:
  Reader();
  /// Where to read the next bytes of the stream to; never empty when `next` has been called to its end.
  std::span<uint8_t> room();
  /// So many were read.
  void fill(size_t size) { end_ += size; }
  /// The next datagram's payload, good until `room`; nullopt: more has to be read. EMSGSIZE for a datagram above
  /// kMostPayload, EBADMSG for one that ends within its context: the stream is of no more use.
  Result<std::optional<Bytes>> next();

 private:
  void compact();

  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;
  uint64_t skip_ = 0;  // bytes of a capsule that nobody wants
};

}  // namespace gw::relay
