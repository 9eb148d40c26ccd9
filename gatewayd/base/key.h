// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

inline constexpr size_t kWireGuardKeySize = 32;

/// A WireGuard (Curve25519) public key. Public: may be printed and compared freely.
struct PublicKey {
  std::array<uint8_t, kWireGuardKeySize> bytes{};

  auto operator<=>(const PublicKey&) const = default;
  [[nodiscard]] std::string str() const;  ///< the 44 base64 characters that `wg` prints
  /// nullopt unless exactly 44 characters of canonical base64 (RFC 4648 §4).
  static std::optional<PublicKey> parse(std::string_view text);
  /// True for the points of small order, under which every shared secret is zero (RFC 7748 §6.1): never accept one.
  [[nodiscard]] bool is_low_order() const;
};

/// A WireGuard private or preshared key. Zeroed on destruction; cannot be printed by accident: ask with `reveal`.
class SecretKey {
 public:
  SecretKey() = default;
  explicit SecretKey(const std::array<uint8_t, kWireGuardKeySize>& bytes) : bytes_(bytes) {}
  SecretKey(const SecretKey&) = default;
  SecretKey(SecretKey&&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  SecretKey& operator=(SecretKey&&) = default;
  ~SecretKey();

  [[nodiscard]] const std::array<uint8_t, kWireGuardKeySize>& reveal() const { return bytes_; }
  [[nodiscard]] std::string reveal_base64() const;
  static std::optional<SecretKey> parse(std::string_view text);
  bool operator==(const SecretKey& other) const;  ///< constant time

 private:
  std::array<uint8_t, kWireGuardKeySize> bytes_{};
};

}  // namespace gw
