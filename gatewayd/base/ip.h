// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

enum class Family : uint8_t { v4 = 4, v6 = 6 };

/// An IPv4 or IPv6 address. Bytes are in network order; an IPv4 address fills the first four and leaves the rest zero.
struct IpAddress {
  Family family = Family::v4;
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const IpAddress&) const = default;

  [[nodiscard]] int bits() const { return family == Family::v4 ? 32 : 128; }
  [[nodiscard]] std::string str() const;  ///< RFC 5952 for IPv6, dotted quad for IPv4
  /// The address as 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2): the form of every BPF map key.
  [[nodiscard]] std::array<uint8_t, 16> mapped() const;
  static IpAddress from_mapped(const std::array<uint8_t, 16>& bytes);
  static std::optional<IpAddress> parse(std::string_view text);  ///< no scope, no port, no brackets
};

/// An address block. Host bits of `address` are always zero in a value made by `parse` or `of`.
struct Prefix {
  IpAddress address;
  uint8_t length = 0;

  auto operator<=>(const Prefix&) const = default;

  [[nodiscard]] std::string str() const;  ///< "10.1.0.0/16"
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool contains(const Prefix& other) const;
  [[nodiscard]] bool overlaps(const Prefix& other) const { return contains(other) || other.contains(*this); }
  [[nodiscard]] bool is_host() const { return length == address.bits(); }
  /// The n-th address of the block (0 is the network address); nullopt when it lies outside.
  [[nodiscard]] std::optional<IpAddress> nth(uint64_t n) const;
  /// How many addresses the block has; UINT64_MAX when 2^64 or more.
  [[nodiscard]] uint64_t size() const;
  static Prefix of(const IpAddress& address, uint8_t length);  ///< clears host bits; length is clamped to the family's
  static Prefix host(const IpAddress& address) { return of(address, static_cast<uint8_t>(address.bits())); }
  /// "10.1.0.0/16", or a bare address as a host prefix. nullopt when malformed or when host bits are set.
  static std::optional<Prefix> parse(std::string_view text);
};

}  // namespace gw
