// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <memory>

#include "gatewayd/base/result.h"

namespace gw::dbus {

struct BusClose {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, BusClose>;

/// Connects to the system bus, or to DBUS_SYSTEM_BUS_ADDRESS where that is set, and serves it on `event`. The error
/// says how to get a bus running. Blocks until the bus has answered Hello.
Result<Bus> open_system_bus(sd_event* event);

/// Calls `callback`, which has to outlive the bus, once when the connection is lost. It must not close the bus itself.
Result<void> on_bus_lost(sd_bus* bus, std::function<void()>* callback);

}  // namespace gw::dbus
