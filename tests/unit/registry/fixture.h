// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "gatewayd/registry/registry.h"
#include "tests/support/temp_dir.h"

namespace gw::registry {

inline constexpr UnixSeconds kNow = 1'800'000'000;
inline constexpr UnixSeconds kYear = 365 * 86400;

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

inline void require(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "accepted" : result.error().message();
}

template <class T>
int code_of(const Result<T>& result) {
  return result ? 0 : result.error().code;
}

/// A key that belongs to `n` alone.
inline PublicKey key(uint32_t n) {
  PublicKey out;
  out.bytes.fill(0x42);
  for (size_t i = 0; i < 4; ++i) out.bytes[i] = static_cast<uint8_t>(n >> (8 * i));
  return out;
}

inline std::string serial(uint32_t n) {
  char text[40] = {};
  std::snprintf(text, sizeof text, "%08x%024x", n * 2654435761U, n);
  return text;
}

inline std::string uuid(uint32_t n) {
  char text[40] = {};
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012x", n);
  return text;
}

inline std::vector<Prefix> pools() { return {*Prefix::parse("172.16.0.0/16"), *Prefix::parse("fd6d:706e:6c61::/64")}; }

inline Certificate certificate(const std::string& client, uint32_t n, const PublicKey& wireguard,
                               UnixSeconds not_after = kNow + kYear) {
  return {.serial = serial(n),
          .client = client,
          .client_number = 0,
          .wireguard = wireguard,
          .not_before = kNow - 300,
          .not_after = not_after,
          .revoked_at = 0,
          .reason = {},
          .sha256 = std::string(64, 'a'),
          .pem = "-----BEGIN CERTIFICATE-----\n" + std::string(1000, 'x')};
}

/// A registry on a directory of the test; client number n has key(n), uuid(n) and certificate serial(n).
class RegistryTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_ / "registry.db"; }
  [[nodiscard]] Registry open() const { return value_of(Registry::open(path())); }

  /// Plans and adds; what was added.
  static Client add(Registry& registry, const std::string& name, uint32_t n,
                    const std::vector<std::string>& groups = {}, const std::vector<Prefix>& from = pools()) {
    Client client = value_of(registry.plan_client(name, from));
    client.device_uuid = uuid(n);
    client.wireguard = key(n);
    client.groups = groups;
    require(registry.add_client(client, certificate(name, n, key(n)), "uid 0", kNow));
    return client;
  }

  test::TempDir directory_{"/dev/shm"};  // fsync costs nothing there
};

}  // namespace gw::registry
