// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/ip.h"

/// What a name may look like, and what a misspelt one was meant to be.
namespace gw::config {

/// "; did you mean 'interface'?" when one of `known` is near enough to `word`, else "; known are a, b, c" (or "" for
/// none).
std::string hint(std::string_view word, std::span<const std::string_view> known);

/// Why `name` is no label of RFC 1123 §2.1 (letters, digits, inner hyphens; at most 63), or nullopt when it is one.
std::optional<std::string> why_no_label(std::string_view name);

/// Why `name` cannot be a network device (dev_valid_name() in net/core/dev.c: IFNAMSIZ with its zero), or nullopt.
std::optional<std::string> why_no_device(std::string_view name);

/// A decimal number without sign or anything after it; nullopt otherwise, also when above `max`.
std::optional<uint64_t> parse_number(std::string_view text, uint64_t max);

/// Why an IPv6 address of ::ffff:0:0/96 (RFC 4291 §2.5.5.2) is refused, or nullopt for any other address: the data
/// plane keeps IPv4 under these addresses, so that one written as IPv6 would mean the IPv4 one unseen by the checks for
/// overlaps.
std::optional<std::string> why_no_address(const IpAddress& address);

std::string join(std::span<const std::string_view> words);

}  // namespace gw::config
