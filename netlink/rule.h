// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"
#include "netlink/socket.h"

namespace gw::nl {

/// A routing rule that looks into a table. Kernel: include/uapi/linux/fib_rules.h.
struct Rule {
  Family family = Family::v4;
  uint32_t priority = 0;                        ///< lower ones are asked first; main has 32766
  std::optional<uint32_t> mark = std::nullopt;  ///< packets with this fwmark only
  bool invert = false;                          ///< packets that do not fit the selector
  uint32_t table = 254;                         ///< RT_TABLE_MAIN
  std::optional<uint32_t> suppress_prefix_length =
      std::nullopt;      ///< a route found is passed over unless it is longer than this
  uint8_t protocol = 0;  ///< FRA_PROTOCOL (Linux 4.17): how we mark what is ours
  auto operator<=>(const Rule&) const = default;
};

/// Rules of that protocol that look into a table, both families. Selectors other than the mark are not told, so use a
/// protocol of your own.
Result<std::vector<Rule>> list_rules(Socket& socket, uint8_t protocol);
/// EEXIST when there is the same already.
Result<void> add_rule(Socket& socket, const Rule& rule);
/// ENOENT when there is none like it. The protocol may not be 0, which would match a rule of anyone (EINVAL).
Result<void> delete_rule(Socket& socket, const Rule& rule);

}  // namespace gw::nl
