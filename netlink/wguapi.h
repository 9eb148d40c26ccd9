// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"
#include "netlink/wireguard.h"

/// The text of WireGuard's socket protocol (https://www.wireguard.com/xplatform/). Pure.
namespace gw::nl {

/// What `get=1` answers. `device.public_key` is not filled: the protocol tells the private key only.
struct UapiDevice {
  std::optional<SecretKey> private_key;
  WgDevice device;
};

/// Reads a whole answer to `get=1`. Strict, for the bytes come from another process: every line key=value with a known
/// key in its place, once, in range; the last two lines errno=N and an empty one. EBADMSG with the line's number; the
/// answer's own errno when that is not 0.
Result<UapiDevice> parse_uapi_get(std::string_view answer);

/// Reads the answer to `set=1`: nothing but errno=N and an empty line. Errors as above.
Result<void> parse_uapi_set(std::string_view answer);

/// True when `answer` holds a whole answer, good or bad, so that reading may stop.
[[nodiscard]] bool is_whole_uapi_answer(std::string_view answer);

/// Writes the `set=1` transaction for `change`, piece by piece (of some kilobytes) into `sink`. The first piece may
/// carry the private key; pieces are wiped after `sink` returns.
void write_uapi_set(const WgChange& change, const std::function<void(std::string_view)>& sink);

}  // namespace gw::nl
