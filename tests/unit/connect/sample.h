// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/connect/network.h"
#include "tests/support/must.h"

namespace gw::connect::test {

inline Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }
inline IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }

inline PublicKey key(uint8_t byte) {
  PublicKey out;
  out.bytes.fill(byte);
  return out;
}

/// A split tunnel to 10.1.0.0/16 by way of vpn.contoso.example.
inline Profile sample_profile() {
  Profile out;
  out.client = "alice";
  out.addresses = {{ip("172.16.201.4"), 32}, {ip("fd6d:706e:6c61::4"), 128}};
  out.allowed_ips = {prefix("10.1.0.0/16"), prefix("172.16.201.0/24"), prefix("fd6d:706e:6c61::/64")};
  out.dns = {ip("172.16.201.1")};
  out.dns_domain = "vpn.internal";
  out.mtu = 1400;
  out.gateway_name = "contoso";
  out.gateway_key = key(9);
  out.endpoint = {"vpn.contoso.example", 51820};
  out.not_after = 1'900'000'000;
  return out;
}

/// A member of that, with the interface and tables of its slot.
inline Network sample_network(uint32_t slot = 0) {
  Network out;
  out.id = "vpn" + std::to_string(slot) + ".contoso.example";
  out.server = {out.id, 443};
  out.fingerprint = std::string(64, 'a');
  out.interface = "gw" + std::to_string(slot);
  out.slot = slot;
  out.certificate_pem = "none";
  out.identity = "0011";
  out.key = key(5);
  out.profile = sample_profile();
  out.endpoint = ip("203.0.113.9");
  return out;
}

}  // namespace gw::connect::test
