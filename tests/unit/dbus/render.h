// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <string>

namespace gw::test {

/// What is left of a message as text, in the manner of JSON: {"name": "web", "vlan": q 20, "prefixes":
/// ["10.1.1.0/24"]}. Numbers carry their D-Bus type, so that a test holds it. Arguments are separated by " | ".
std::string render(sd_bus_message* message);

}  // namespace gw::test
