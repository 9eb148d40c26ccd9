// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/image_builder.h"

#include "bpf/loader/map.h"
#include "gatewayd/base/ip.h"

namespace gw::test {
namespace {

/// The ref for the keys from `base` on that share all bits above `shift` + 4.
uint32_t grow(std::vector<gw_node>& nodes, const std::map<uint16_t, uint32_t>& keys, uint32_t rest, uint32_t base,
              int shift) {
  const auto first = keys.lower_bound(static_cast<uint16_t>(base));
  const uint32_t span = 1U << static_cast<unsigned>(shift + 4);
  if (first == keys.end() || first->first >= base + span) return rest;
  if (shift < 0) return first->second;
  gw_node node{};
  for (uint32_t i = 0; i < 16; ++i)
    node.child[i] = grow(nodes, keys, rest, base + (i << static_cast<unsigned>(shift)), shift - 4);
  nodes.push_back(node);
  return static_cast<uint32_t>(nodes.size() - 1);
}

}  // namespace

ImageBuilder& ImageBuilder::prefix(std::string_view block, uint32_t class_id, uint32_t link, uint32_t flags) {
  const Prefix parsed = Prefix::parse(block).value();
  gw_prefix_key key{};
  key.prefixlen = parsed.length + (parsed.address.family == Family::v4 ? 96U : 0U);
  key.addr = bpf::to_addr(parsed.address);
  image_.prefixes.emplace_back(key, gw_prefix{class_id, link, flags, 0});
  return *this;
}

ImageBuilder& ImageBuilder::rule(uint32_t src, uint32_t dst, gw_kind kind, uint16_t key, uint32_t ref) {
  pairs_[{src, dst}].at(kind).keys[key] = ref;
  return *this;
}

ImageBuilder& ImageBuilder::rule(uint32_t src, uint32_t dst, gw_kind kind, uint32_t ref) {
  pairs_[{src, dst}].at(kind).rest = ref;
  return *this;
}

ImageBuilder& ImageBuilder::masquerade(uint32_t class_id) {
  image_.nat_classes.push_back(class_id);
  return *this;
}

bpf::PolicyImage ImageBuilder::build(std::string_view name) const {
  bpf::PolicyImage out = image_;
  for (const auto& [classes, services] : pairs_) {
    gw_pair pair{};
    for (size_t kind = 0; kind < services.size(); ++kind)
      pair.root[kind] = grow(out.nodes, services.at(kind).keys, services.at(kind).rest, 0, 12);
    out.pairs.emplace_back(gw_pair_key{classes.first, classes.second}, pair);
  }
  out.fingerprint = name;
  return out;
}

}  // namespace gw::test
