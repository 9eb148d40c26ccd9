// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/file.h"
#include "gatewayd/control/gateway.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/temp_dir.h"

namespace gw::test {

class FakeClock final : public Clock {
 public:
  UnixSeconds at = 1'800'000'000;  // 2027-01-15 08:00:00 UTC
  [[nodiscard]] UnixSeconds now() const override { return at; }
};

inline constexpr UnixSeconds kDay = 86400;

/// The value, or a failed test with the error's sentence.
template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

inline std::string refusal(const auto& result) { return result ? "accepted" : result.error().message(); }

/// One that makes its keys itself.
struct Device {
  pki::PrivateKey key = value_of(pki::PrivateKey::generate());
  pki::WireGuardKeys wireguard = value_of(pki::generate_wireguard_keys());
};

/// A GatewayController with everything real below it but the kernel. `restart` is what a crash of the daemon is: the
/// state directory and the kernel stay.
class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override;
  /// Replaces gateway.yaml. `more` follows a gateway, a VPN and an address space.
  void write(const std::string& more);
  void write_whole(const std::string& text);
  void start();  ///< first start, or after a crash; converges
  void restart();
  control::GatewayController::Parts parts();
  control::GatewayController::Options options();

  /// A request of a client of this name with fresh keys; `last_key` is its WireGuard key.
  std::string request(const std::string& name);
  Result<control::ProfileFacts> add(const std::string& name, std::vector<std::string> groups = {}, uint32_t days = 365);
  [[nodiscard]] bool has_peer(const PublicKey& key) const { return kernel_.state.wireguard.peers.contains(key); }
  [[nodiscard]] const plan::Host* host(const std::string& address) const;

  TempDir directory_{"/dev/shm"};
  FakeKernel kernel_;
  FakeClock clock_;
  PublicKey last_key_;
  PublicKey public_key_{{9}};
  bool synchronised_ = true;
  std::vector<std::string> log_;
  std::vector<apply::Report> reports_;
  std::optional<registry::Registry> registry_;
  pki::LocalSigner signer_{directory_ / "state/ca"};
  std::optional<apply::IntentStore> intents_;
  std::optional<apply::Reconciler> reconciler_;
  std::optional<control::GatewayController> gateway_;
};

/// A configuration that most tests start from.
inline constexpr const char* kUsual = R"(
subnets:
  web: {prefixes: [10.1.1.0/24, "fd10:1:1::/64"], interface: eth1, address: [10.1.1.1, "fd10:1:1::1"]}
groups:
  developers: {description: people who ship}
  ops: {}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/443, icmp]}
  - {name: no-web, action: reject, from: [vpn], to: [subnet:web], log: true}
)";

/// One that devices enrol with.
inline constexpr const char* kEnrolling = R"(
gateway:
  name: contoso
  public: {interface: eth0, endpoint: vpn.contoso.example, enroll_port: 443}
vpn: {subnets: [172.16.201.0/24]}
network: {address_space: [10.1.0.0/16]}
groups: {developers: {}, ops: {}}
)";

}  // namespace gw::test
