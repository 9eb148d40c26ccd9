// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The names that gatewayd and its callers agree on. The methods are in
/// gatewayd/dbus/interfaces/org.gatewayd.Manager1.xml.
namespace gw::dbus {

inline constexpr const char* kBusName = "org.gatewayd";
inline constexpr const char* kManagerPath = "/org/gatewayd";
inline constexpr const char* kManagerInterface = "org.gatewayd.Manager1";
/// Errors are named by what they mean: "org.gatewayd.Error.NotFound". Their message is a sentence for the operator.
inline constexpr const char* kErrorPrefix = "org.gatewayd.Error.";

}  // namespace gw::dbus
