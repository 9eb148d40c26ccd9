// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>
#include <string>

/// D-Bus values as JSON and back. Functions return 0 or a negative errno value, as sd-bus does.
namespace gw::wire {

using Json = nlohmann::json;

/// Reads all that is left of `message` into an array, a value per argument: dictionaries become objects, arrays arrays
/// (bytes, "ay", binary values), variants what they hold.
int decode(sd_bus_message* message, Json& out);

/// Appends `arguments` (an array, a value per complete type of `signature`) to `message`. Types: s b y q u t i x as
/// a{sv} aa{sv}. -EINVAL when a value is not of its type. In a dictionary the variant's type follows from the value:
/// text s, truth b, unsigned u or t, negative x, list of text as, list of objects aa{sv}, object of unsigned numbers
/// a{st}.
int encode(sd_bus_message* message, const std::string& signature, const Json& arguments);

}  // namespace gw::wire
