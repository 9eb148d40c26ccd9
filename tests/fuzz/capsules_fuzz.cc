// SPDX-License-Identifier: Apache-2.0
// A stream of capsules, as either end of a relay reads it. However it is cut, the same datagrams come out; what comes
// out is written and read again the same.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "gatewayd/relay/capsule.h"
#include "gatewayd/relay/target.h"

namespace {

using gw::relay::Bytes;

struct Read {
  std::vector<std::vector<uint8_t>> payloads;
  int code = 0;
  bool operator==(const Read&) const = default;
};

Read read_all(Bytes stream, size_t step) {
  gw::relay::Reader reader;
  Read out;
  while (!stream.empty() && out.code == 0) {
    const auto room = reader.room();
    const size_t size = std::min({step, room.size(), stream.size()});
    if (size == 0) std::abort();
    std::ranges::copy(stream.first(size), room.begin());
    reader.fill(size);
    stream = stream.subspan(size);
    for (;;) {
      const auto next = reader.next();
      if (!next) out.code = next.error().code;
      if (!next || !*next) break;
      if ((*next)->size() > gw::relay::kMostPayload) std::abort();
      out.payloads.emplace_back((*next)->begin(), (*next)->end());
    }
  }
  if (out.code != 0 && out.code != EMSGSIZE && out.code != EBADMSG) std::abort();
  return out;
}

void write_and_read(const std::vector<std::vector<uint8_t>>& payloads) {
  gw::relay::Batch batch(gw::relay::kMostPayload + gw::relay::kMostFrame);
  for (const auto& payload : payloads) {
    batch.clear();
    std::ranges::copy(payload, batch.room().begin());
    batch.add(payload.size());
    if (read_all(batch.bytes(), SIZE_MAX) != Read{{payload}, 0}) std::abort();
  }
}

void read_number(Bytes bytes) {
  const auto number = gw::relay::read_varint(bytes);
  if (!number) return;
  uint8_t out[8];
  const size_t size = gw::relay::write_varint(number->value, out);
  if (size > number->size || gw::relay::read_varint({out, size}) != gw::relay::Varint{number->value, size})
    std::abort();
}

void read_path(const std::string& text) {
  const auto target = gw::relay::target_of(text);
  if (target && gw::relay::target_of(gw::relay::path_of(*target)) != target) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  read_number(bytes);
  read_path(std::string(data, data + size));
  const Read whole = read_all(bytes, SIZE_MAX);
  if (read_all(bytes, 1) != whole || read_all(bytes, 7) != whole) std::abort();
  write_and_read(whole.payloads);
  return 0;
}
