// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "bpf/image.h"

namespace gw::test {

/// A leaf of the decision tables.
constexpr uint32_t leaf(uint32_t action, uint32_t rule, bool log = false) {
  return GW_REF_LEAF | action << GW_REF_ACTION_SHIFT | (log ? GW_REF_LOG : 0) | rule;
}
constexpr uint32_t allow(uint32_t rule) { return leaf(GW_ACTION_ALLOW, rule); }
constexpr uint32_t deny(uint32_t rule) { return leaf(GW_ACTION_DENY, rule); }
constexpr uint32_t reject(uint32_t rule) { return leaf(GW_ACTION_REJECT, rule); }
inline constexpr uint32_t kNoRule = leaf(GW_ACTION_DENY, 0);

/// A PolicyImage by hand, so that tests of the programs do not lean on the policy compiler.
class ImageBuilder {
 public:
  ImageBuilder& prefix(std::string_view block, uint32_t class_id, uint32_t link, uint32_t flags = 0);
  /// One key of a kind: a destination port, an ICMP type << 8 | code, a protocol number.
  ImageBuilder& rule(uint32_t src, uint32_t dst, gw_kind kind, uint16_t key, uint32_t ref);
  /// All keys of a kind that have no rule of their own.
  ImageBuilder& rule(uint32_t src, uint32_t dst, gw_kind kind, uint32_t ref);
  ImageBuilder& masquerade(uint32_t class_id);
  [[nodiscard]] bpf::PolicyImage build(std::string_view name) const;

 private:
  struct Service {
    std::map<uint16_t, uint32_t> keys;
    uint32_t rest = kNoRule;
  };

  std::map<std::pair<uint32_t, uint32_t>, std::array<Service, GW_KINDS>> pairs_;
  bpf::PolicyImage image_;
};

}  // namespace gw::test
