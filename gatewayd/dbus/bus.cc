// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/bus.h"

#include <cstdlib>

#include "gatewayd/dbus/errors.h"

namespace gw::dbus {

Result<Bus> open_system_bus(sd_event* event) {
  sd_bus* raw = nullptr;
  int rc = sd_bus_open_system_with_description(&raw, "gatewayd");
  Bus bus(raw);
  if (rc >= 0) rc = sd_bus_attach_event(bus.get(), event, SD_EVENT_PRIORITY_NORMAL);
  const char* unique = nullptr;
  if (rc >= 0) rc = sd_bus_get_unique_name(bus.get(), &unique);
  if (rc < 0) {
    const char* address = std::getenv("DBUS_SYSTEM_BUS_ADDRESS");
    Error error = bus_error(rc, "connect to", address != nullptr ? address : "the system bus");
    error.detail = address != nullptr
                       ? "DBUS_SYSTEM_BUS_ADDRESS names it; is a bus running there?"
                       : "install and start it (systemctl start dbus.service), or set DBUS_SYSTEM_BUS_ADDRESS";
    return std::unexpected(std::move(error));
  }
  return bus;
}

Result<void> on_bus_lost(sd_bus* bus, std::function<void()>* callback) {
  const auto lost = [](sd_bus_message* /*signal*/, void* function, sd_bus_error* /*error*/) {
    (*static_cast<std::function<void()>*>(function))();
    return 0;
  };
  const int rc = sd_bus_match_signal(bus, nullptr, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                     "org.freedesktop.DBus.Local", "Disconnected", lost, callback);
  if (rc < 0) return std::unexpected(bus_error(rc, "watch", "the bus"));
  return {};
}

}  // namespace gw::dbus
