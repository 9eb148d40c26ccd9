// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/reference.h"

/// Rules and packets in one line, for tests of the policy. They throw std::invalid_argument: a test with a typing error
/// fails.
namespace gw::test {

/// "any", "vpn", "subnet:web", "group:dev", "10.1.1.0/24".
config::Selector selector(std::string_view text);

/// "any", "tcp", "tcp/443", "udp/1000-2000", "icmp/8", "proto/47".
config::Service service(std::string_view text);

/// "ACTION FROM[,FROM] -> TO[,TO] SERVICE[,SERVICE] [log]": "allow group:dev -> subnet:web tcp/443,icmp".
config::Rule rule(std::string_view name, std::string_view text);

/// "SOURCE -> DESTINATION SERVICE", with a service of one key: "172.16.201.5 -> 10.1.1.7 tcp/443".
policy::Packet packet(std::string_view text);

}  // namespace gw::test
