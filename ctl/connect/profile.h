// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/connect/host_port.h"
#include "gatewayd/base/clock.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

namespace gw::connect {

/// An address with the length of its block; the host bits are kept.
struct InterfaceAddress {
  IpAddress address;
  uint8_t length = 0;
  auto operator<=>(const InterfaceAddress&) const = default;
  [[nodiscard]] std::string str() const;  ///< "172.16.201.4/32"
};

/// What a gateway tells an endpoint about its tunnel: GET /.well-known/gatewayd/profile.
struct Profile {
  std::string client;  ///< the name that the gateway knows this endpoint by
  std::vector<InterfaceAddress> addresses;
  std::vector<Prefix> allowed_ips;  ///< sorted, each once
  bool full = false;                ///< everything goes into the tunnel
  std::vector<IpAddress> dns;
  std::string dns_domain;  ///< may be empty
  uint32_t mtu = 0;        ///< 0: not told
  std::string gateway_name;
  PublicKey gateway_key;
  HostPort endpoint;
  UnixSeconds not_after = 0;
  bool operator==(const Profile&) const = default;
};

/// From outside: hostile. EBADMSG names the field that is missing, of another type, or that nobody should apply (a
/// gateway key of low order, an MTU below 1280, hundreds of prefixes). Fields that are not known are passed over.
Result<Profile> parse_profile(std::string_view json);

/// The same facts as JSON that parse_profile reads.
std::string profile_json(const Profile& profile);

}  // namespace gw::connect
