// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/lookup.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace gw::policy {
namespace {

using Bytes = std::array<uint8_t, 16>;

Bytes masked(Bytes bytes, uint32_t length) {
  for (uint32_t bit = length; bit < 128; ++bit) bytes[bit / 8] &= static_cast<uint8_t>(~(0x80U >> (bit % 8)));
  return bytes;
}

Bytes bytes_of(const gw_addr& address) {
  Bytes out;
  std::memcpy(out.data(), &address, out.size());
  return out;
}

/// Entries are sorted by length, then address: one binary search for each length that occurs.
const gw_prefix* longest_match(const bpf::PolicyImage& image, const Bytes& address) {
  auto end = image.prefixes.end();
  while (end != image.prefixes.begin()) {
    const uint32_t length = std::prev(end)->first.prefixlen;
    const auto begin = std::partition_point(image.prefixes.begin(), end,
                                            [&](const auto& entry) { return entry.first.prefixlen < length; });
    const Bytes wanted = masked(address, length);
    const auto at =
        std::partition_point(begin, end, [&](const auto& entry) { return bytes_of(entry.first.addr) < wanted; });
    if (at != end && bytes_of(at->first.addr) == wanted) return &at->second;
    end = begin;
  }
  return nullptr;
}

const gw_pair* find_pair(const bpf::PolicyImage& image, uint32_t src, uint32_t dst) {
  const std::pair wanted(src, dst);
  const auto at = std::ranges::lower_bound(
      image.pairs, wanted, {}, [](const auto& entry) { return std::pair(entry.first.src, entry.first.dst); });
  if (at == image.pairs.end() || std::pair(at->first.src, at->first.dst) != wanted) return nullptr;
  return &at->second;
}

}  // namespace

Place classify(const bpf::PolicyImage& image, const std::map<IpAddress, uint32_t>& host_classes,
               const IpAddress& address) {
  if (const auto host = host_classes.find(address); host != host_classes.end()) {
    return {.class_id = host->second, .host = true};
  }
  const gw_prefix* prefix = longest_match(image, address.mapped());
  if (prefix == nullptr) return {};
  return {.class_id = prefix->class_id, .link = prefix->link, .flags = prefix->flags};
}

uint32_t decide(const bpf::PolicyImage& image, uint32_t src_class, uint32_t dst_class, gw_kind kind, uint16_t key) {
  constexpr uint32_t kDefault = GW_REF_LEAF | GW_ACTION_DENY << GW_REF_ACTION_SHIFT;
  if (src_class == GW_CLASS_NONE || dst_class == GW_CLASS_NONE) return kDefault;
  const gw_pair* pair = find_pair(image, src_class, dst_class);
  if (pair == nullptr) pair = find_pair(image, src_class, GW_CLASS_REST);
  if (pair == nullptr) return kDefault;
  uint32_t ref = pair->root[kind];
  for (int shift = 12; (ref & GW_REF_LEAF) == 0 && shift >= 0; shift -= 4) {
    ref = image.nodes[ref].child[key >> static_cast<unsigned>(shift) & 0xfU];
  }
  return (ref & GW_REF_LEAF) != 0 ? ref : kDefault;
}

bool masquerades(const bpf::PolicyImage& image, const Place& source, const Place& destination) {
  return (destination.flags & GW_PREFIX_OUTSIDE) != 0 && std::ranges::binary_search(image.nat_classes, source.class_id);
}

}  // namespace gw::policy
