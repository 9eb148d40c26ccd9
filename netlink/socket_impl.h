// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "gatewayd/base/fd.h"
#include "netlink/socket.h"

namespace gw::nl {

/// What a Socket owns; for the files of this layer.
struct Socket::Impl {
  UniqueFd fd;
  uint32_t port = 0;            ///< our netlink address
  uint32_t sequence = 0;        ///< of the last request; answers to earlier ones are skipped
  std::vector<uint8_t> buffer;  ///< one datagram; wiped after use, since WireGuard dumps carry the private key
};

}  // namespace gw::nl
