// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/kernel_client.h"

namespace gw::control {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

plan::Client kernel_client(const registry::Client& client) {
  return {.number = client.number,
          .name = client.name,
          .wireguard = client.wireguard,
          .groups = client.groups,
          .addresses = client.addresses,
          .valid_until_ns = (static_cast<uint64_t>(client.not_after) + 1) * kNsPerSecond};
}

UnixSeconds access_ends_at(const plan::Client& client) {
  return static_cast<UnixSeconds>(client.valid_until_ns / kNsPerSecond);
}

}  // namespace gw::control
