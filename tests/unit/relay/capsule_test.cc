// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/relay/capsule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace gw::relay {
namespace {

std::vector<uint8_t> hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t at = 0; at < text.size(); at += 2)
    out.push_back(static_cast<uint8_t>(std::stoul(text.substr(at, 2), nullptr, 16)));
  return out;
}

/// Payloads in `stream`, given to a reader in pieces of `step` bytes; the errno of what ended it, or 0.
int read_all(const std::vector<uint8_t>& stream, size_t step, std::vector<std::string>& payloads) {
  Reader reader;
  for (size_t at = 0; at < stream.size();) {
    const auto room = reader.room();
    const size_t size = std::min({step, room.size(), stream.size() - at});
    EXPECT_GT(size, 0U);
    std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(at), size, room.begin());
    at += size;
    reader.fill(size);
    for (;;) {
      const auto next = reader.next();
      if (!next) return next.error().code;
      if (!*next) break;
      payloads.emplace_back((*next)->begin(), (*next)->end());
    }
  }
  return 0;
}

struct Vector {
  const char* bytes;
  uint64_t value;
};
// RFC 9000 A.1. The last is another spelling of 37.
constexpr Vector kVectors[] = {
    {"c2197c5eff14e88c", 151288809941952652}, {"9d7f3e7d", 494878333}, {"7bbd", 15293}, {"25", 37}, {"4025", 37}};

TEST(Varint, IsReadAsTheStandardHasIt) {
  for (const auto& [text, value] : kVectors) {
    const auto bytes = hex(text);
    EXPECT_EQ(read_varint(bytes), (Varint{value, bytes.size()})) << text;
    for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(read_varint(Bytes(bytes).first(size))) << text;
  }
}

TEST(Varint, IsWrittenAsShortAsItCanBe) {
  for (const auto& [text, value] : kVectors) {
    if (std::string(text) == "4025") continue;
    uint8_t out[8] = {};
    const size_t size = write_varint(value, out);
    EXPECT_EQ(std::vector<uint8_t>(out, out + size), hex(text));
  }
  const std::pair<uint64_t, size_t> edges[] = {
      {63, 1}, {64, 2}, {16383, 2}, {16384, 4}, {1073741823, 4}, {1073741824, 8}, {(uint64_t{1} << 62U) - 1, 8}};
  for (const auto& [value, size] : edges) {
    uint8_t out[8] = {};
    EXPECT_EQ(write_varint(value, out), size) << value;
    EXPECT_EQ(read_varint(Bytes(out, size)), (Varint{value, size}));
  }
}

TEST(Capsules, CarryDatagramsHoweverTheStreamIsCut) {
  Batch batch(2 * (kMostPayload + kMostFrame));
  const std::vector<std::string> sent = {"one", "", std::string(kMostPayload, 'x')};
  for (const std::string& payload : sent) {
    const auto room = batch.room();
    ASSERT_GE(room.size(), payload.size());
    std::ranges::copy(payload, room.begin());
    batch.add(payload.size());
  }
  EXPECT_TRUE(batch.room().empty()) << "no room for the longest";
  const std::vector<uint8_t> stream(batch.bytes().begin(), batch.bytes().end());
  for (const size_t step : {size_t{1}, size_t{7}, stream.size()}) {
    std::vector<std::string> got;
    EXPECT_EQ(read_all(stream, step, got), 0);
    EXPECT_EQ(got, sent) << step;
  }
}

TEST(Capsules, OfOtherTypesAndContextsArePassedOver) {
  // Type 0x1234 of 5 bytes; a datagram of context 2; one of context 0, its length and context in longer spellings.
  const auto stream =
      hex("5234050102030405"
          "000302aabb"
          "00400500"
          "01020304"
          "0080000004"
          "4000"
          "0506");
  for (size_t step = 1; step <= stream.size(); ++step) {
    std::vector<std::string> got;
    EXPECT_EQ(read_all(stream, step, got), 0);
    EXPECT_EQ(got, (std::vector<std::string>{"\x01\x02\x03\x04", "\x05\x06"})) << step;
  }
}

TEST(Capsules, ThatNobodyWantsTakeNoRoomHoweverLong) {
  auto stream = hex("2980100000");  // a mebibyte
  stream.resize(stream.size() + (size_t{1} << 20U), 0x55);
  for (const uint8_t byte : hex("000300414243")) stream.push_back(byte);
  stream.resize(stream.size() - 1);
  std::vector<std::string> got;
  EXPECT_EQ(read_all(stream, 4096, got), 0);
  EXPECT_EQ(got, std::vector<std::string>{"AB"});
}

TEST(Capsules, ThatAreTooLongOrCutEndTheStream) {
  std::vector<std::string> got;
  EXPECT_EQ(read_all(hex("00800100000041"), 64, got), EMSGSIZE);
  EXPECT_EQ(read_all(hex("00c00000010000000000"), 64, got), EMSGSIZE);
  EXPECT_EQ(read_all(hex("0000"), 64, got), EBADMSG) << "without a context";
  EXPECT_EQ(read_all(hex("000140"), 64, got), EBADMSG) << "cut within its context";
  EXPECT_TRUE(got.empty());
}

}  // namespace
}  // namespace gw::relay
