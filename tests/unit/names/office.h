// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gatewayd/config/config.h"

namespace gw::names {

inline IpAddress address(const char* text) { return *IpAddress::parse(text); }

/// A gateway that serves vpn.internal, with one host.
inline config::Config office() {
  config::Config config;
  config.name = "contoso";
  config.public_side.interface = "eth0";
  config.vpn.subnets = {*Prefix::parse("172.16.201.0/24"), *Prefix::parse("fd6d:706e:6c61::/64")};
  config.vpn.dns = config::Dns{"vpn.internal", {address("10.1.2.53")}};
  config::Subnet& data = config.subnets["data"];
  data.prefixes = {*Prefix::parse("10.1.2.0/24")};
  data.address = {address("10.1.2.1")};
  data.hosts["db"].addresses = {address("10.1.2.10"), address("10.1.2.11")};
  return config;
}

}  // namespace gw::names
