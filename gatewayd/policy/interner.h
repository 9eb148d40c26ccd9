// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/result.h"

namespace gw::policy {

/// Gives rule names, class signatures and devices numbers that are never reused or renumbered while pinned state lives.
/// The daemon serialises it into the run directory (same lifetime as the bpffs), so that counters keep their rules and
/// open flows their links over a restart. A value; one thread.
class Interner {
 public:
  uint32_t rule(const std::string& name);            ///< 1-based
  uint32_t signature(const std::string& signature);  ///< 1-based: a class id
  uint32_t link(const std::string& device);          ///< from GW_LINK_ID_VPN + 1
  [[nodiscard]] std::optional<std::string> rule_name(uint32_t id) const;

  [[nodiscard]] std::string serialise() const;
  /// What `serialise` wrote, and nothing else: EINVAL on any other text.
  static Result<Interner> parse(const std::string& text);

  bool operator==(const Interner&) const = default;

 private:
  /// Numbers names in the order in which they first come.
  class Numbers {
   public:
    uint32_t number(const std::string& name);  ///< 0-based
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    static std::optional<Numbers> of(const std::vector<std::string>& names);  ///< nullopt when a name comes twice
    bool operator==(const Numbers& other) const { return names_ == other.names_; }

   private:
    std::map<std::string, uint32_t> numbers_;
    std::vector<std::string> names_;
  };

  Numbers rules_;
  Numbers signatures_;
  Numbers links_;
};

}  // namespace gw::policy
