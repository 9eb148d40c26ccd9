// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace gw {
namespace {

constexpr size_t kMappedOffset = 12;

uint8_t mask_byte(int length, size_t index) {
  const int bits = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
  return static_cast<uint8_t>(0xff00U >> static_cast<unsigned>(bits));
}

}  // namespace

std::string IpAddress::str() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family == Family::v4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

std::array<uint8_t, 16> IpAddress::mapped() const {
  if (family == Family::v6) return bytes;
  std::array<uint8_t, 16> out{};
  out[10] = out[11] = 0xff;
  std::copy_n(bytes.begin(), 4, out.begin() + kMappedOffset);
  return out;
}

IpAddress IpAddress::from_mapped(const std::array<uint8_t, 16>& bytes) {
  const bool v4 = std::all_of(bytes.begin(), bytes.begin() + 10, [](uint8_t b) { return b == 0; }) &&
                  bytes[10] == 0xff && bytes[11] == 0xff;
  if (!v4) return {Family::v6, bytes};
  IpAddress out;
  std::copy_n(bytes.begin() + kMappedOffset, 4, out.bytes.begin());
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  IpAddress out;
  if (inet_pton(AF_INET, copy.c_str(), out.bytes.data()) == 1) return out;
  out.family = Family::v6;
  if (inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::string Prefix::str() const { return address.str() + "/" + std::to_string(length); }

bool Prefix::contains(const IpAddress& other) const {
  if (other.family != address.family) return false;
  for (size_t i = 0; i < other.bytes.size(); ++i) {
    if (((other.bytes[i] ^ address.bytes[i]) & mask_byte(length, i)) != 0) return false;
  }
  return true;
}

bool Prefix::contains(const Prefix& other) const { return other.length >= length && contains(other.address); }

std::optional<IpAddress> Prefix::nth(uint64_t n) const {
  IpAddress out = address;
  for (int i = address.bits() / 8 - 1; i >= 0 && n != 0; --i) {
    const uint64_t sum = out.bytes[static_cast<size_t>(i)] + (n & 0xffU);
    out.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(sum);
    n = (n >> 8U) + (sum >> 8U);
  }
  if (n != 0 || !contains(out)) return std::nullopt;
  return out;
}

uint64_t Prefix::size() const {
  const int host_bits = address.bits() - length;
  return host_bits >= 64 ? UINT64_MAX : uint64_t{1} << static_cast<unsigned>(host_bits);
}

Prefix Prefix::of(const IpAddress& address, uint8_t length) {
  Prefix out{address, static_cast<uint8_t>(std::min<int>(length, address.bits()))};
  for (size_t i = 0; i < out.address.bytes.size(); ++i) out.address.bytes[i] &= mask_byte(out.length, i);
  return out;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return host(*address);
  const std::string_view digits = text.substr(slash + 1);
  int length = -1;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (status != std::errc{} || end != digits.data() + digits.size() || length < 0 || length > address->bits())
    return std::nullopt;
  const Prefix out = of(*address, static_cast<uint8_t>(length));
  if (out.address != *address) return std::nullopt;
  return out;
}

}  // namespace gw
