// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/relay/capsule.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gw::relay {
namespace {

constexpr uint64_t kDatagram = 0;    // RFC 9297 §5.4
constexpr uint64_t kUdpContext = 0;  // RFC 9298 §5
constexpr size_t kReserved = 6;      // type, a length of four bytes, context
constexpr size_t kReadBuffer = 2 * (kMostPayload + 24);
static_assert(kReserved == kMostFrame);

// The two highest bits tell the size as a power of two (RFC 9000 §16).
constexpr unsigned kSizeShift = 6;
constexpr uint8_t kFirstBits = 0x3f;

}  // namespace

std::optional<Varint> read_varint(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  const size_t size = size_t{1} << (bytes[0] >> kSizeShift);
  if (bytes.size() < size) return std::nullopt;
  uint64_t value = bytes[0] & kFirstBits;
  for (size_t i = 1; i < size; ++i) value = value << 8U | bytes[i];
  return Varint{value, size};
}

size_t write_varint(uint64_t value, uint8_t* out) {
  unsigned power = 0;
  while (power < 3 && value >> ((8U << power) - 2) != 0) ++power;
  const size_t size = size_t{1} << power;
  for (size_t i = size; i-- > 0; value >>= 8U) out[i] = static_cast<uint8_t>(value);
  out[0] |= static_cast<uint8_t>(power << kSizeShift);
  return size;
}

std::span<uint8_t> Batch::room() {
  if (buffer_.size() - used_ < kReserved + kMostPayload) return {};
  return std::span(buffer_).subspan(used_ + kReserved, kMostPayload);
}

// The length is spelled with four bytes, whatever it is, so that the payload is where it was read to.
void Batch::add(size_t size) {
  constexpr uint8_t kFourBytes = 0x80;
  const size_t length = size + 1;
  uint8_t* at = buffer_.data() + used_;
  at[0] = kDatagram;
  at[1] = static_cast<uint8_t>(kFourBytes | length >> 24U);
  at[2] = static_cast<uint8_t>(length >> 16U);
  at[3] = static_cast<uint8_t>(length >> 8U);
  at[4] = static_cast<uint8_t>(length);
  at[5] = kUdpContext;
  used_ += kReserved + size;
}

Reader::Reader() : buffer_(kReadBuffer) {}

void Reader::compact() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

std::span<uint8_t> Reader::room() {
  compact();
  return std::span(buffer_).subspan(end_);
}

Result<std::optional<Bytes>> Reader::next() {
  constexpr const char* kRead = "read a capsule";
  for (;;) {
    const size_t passed = std::min<uint64_t>(skip_, end_ - begin_);
    begin_ += passed;
    skip_ -= passed;
    const Bytes rest = Bytes(buffer_).subspan(begin_, end_ - begin_);
    const auto type = read_varint(rest);
    const auto length = type ? read_varint(rest.subspan(type->size)) : std::nullopt;
    if (!length) return std::nullopt;
    const size_t head = type->size + length->size;
    if (type->value != kDatagram) {
      begin_ += head;
      skip_ = length->value;
      continue;
    }
    constexpr size_t kLongestContext = 8;
    if (length->value > kMostPayload + kLongestContext) return failure(EMSGSIZE, kRead, {}, "it is too long");
    if (rest.size() - head < length->value) return std::nullopt;
    const Bytes value = rest.subspan(head, length->value);
    begin_ += head + value.size();
    const auto context = read_varint(value);
    if (!context) return failure(EBADMSG, kRead, {}, "it ends within its context");
    if (context->value != kUdpContext) continue;
    const Bytes payload = value.subspan(context->size);
    if (payload.size() > kMostPayload) return failure(EMSGSIZE, kRead, {}, "it is too long");
    return payload;
  }
}

}  // namespace gw::relay
