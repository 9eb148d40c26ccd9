// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gw {

/// The number of a revocation reason (CRLReason, RFC 5280 §5.3.1) from its name there: "keyCompromise" is 1. nullopt
/// for a name that is no reason to revoke a client: unknown ones, certificateHold and removeFromCRL, which can be taken
/// back, and those of authorities.
[[nodiscard]] std::optional<int> revocation_reason(std::string_view name);

/// The names that `revocation_reason` knows, "unspecified, keyCompromise, …", for messages.
[[nodiscard]] std::string revocation_reasons();

}  // namespace gw
