// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

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

}  // namespace gw::dbus
