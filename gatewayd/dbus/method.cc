// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/method.h"

namespace gw::dbus {

std::vector<sd_bus_vtable> make_vtable(std::span<const Method> methods, std::span<const sd_bus_vtable> properties,
                                       sd_bus_message_handler_t entry) {
  std::vector<sd_bus_vtable> out = {SD_BUS_VTABLE_START(0)};
  out.insert(out.end(), properties.begin(), properties.end());
  for (const Method& method : methods) {
    // UNPRIVILEGED: sd-bus would else let only root through, by rules of its own; ours are in Authority.
    sd_bus_vtable row =
        SD_BUS_METHOD_WITH_NAMES(method.name, method.in, , method.out, "", entry, SD_BUS_VTABLE_UNPRIVILEGED);
    row.x.method.names = method.names;
    out.push_back(row);
  }
  out.push_back(SD_BUS_VTABLE_END);
  return out;
}

}  // namespace gw::dbus
