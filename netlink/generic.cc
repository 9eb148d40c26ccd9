// SPDX-License-Identifier: Apache-2.0
#include "netlink/generic.h"

#include <linux/genetlink.h>

namespace gw::nl {

Message generic_message(uint16_t family, uint8_t command, uint8_t version, size_t capacity) {
  Message message(family, 0, capacity);
  genlmsghdr header{};
  header.cmd = command;
  header.version = version;
  message.header(header);
  return message;
}

Result<uint16_t> find_family(Socket& socket, const std::string& name) {
  Message message = generic_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
  message.put(CTRL_ATTR_FAMILY_NAME, name);
  uint16_t family = 0;
  auto done = request(socket, message, {"find generic netlink family", name}, [&](const nlmsghdr* part) {
    family = Attributes(part, sizeof(genlmsghdr)).u16(CTRL_ATTR_FAMILY_ID).value_or(0);
  });
  if (!done) return std::unexpected(done.error());
  return family;
}

}  // namespace gw::nl
