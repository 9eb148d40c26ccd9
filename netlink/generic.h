// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "gatewayd/base/result.h"
#include "netlink/message.h"

/// Generic netlink (include/uapi/linux/genetlink.h), for the files of this layer.
namespace gw::nl {

Message generic_message(uint16_t family, uint8_t command, uint8_t version, size_t capacity = 4096);
/// The number of a family by its name; ENOENT when the kernel does not have it.
Result<uint16_t> find_family(Socket& socket, const std::string& name);

}  // namespace gw::nl
