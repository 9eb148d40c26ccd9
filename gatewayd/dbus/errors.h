// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include "gatewayd/base/result.h"

namespace gw::dbus {

/// The D-Bus error name of an errno value: "org.gatewayd.Error.NotFound" for ENOENT. What has no name of its own is
/// "org.gatewayd.Error.Failed".
const char* error_name(int code);

/// Fills `out` with the name and the sentence of `error`. Returns the negative errno that an sd-bus handler returns.
int set_error(sd_bus_error* out, const Error& error);

/// An Error from what an sd-bus call returned (negative errno) and, when it came from the peer, its own message.
Error bus_error(int rc, const char* operation, const char* object, const sd_bus_error* from_peer = nullptr);

}  // namespace gw::dbus
