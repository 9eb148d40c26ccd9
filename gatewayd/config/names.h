// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gatewayd/config/config.h"

/// Who has which name in `vpn.dns.domain`. A name is one label; case does not count (RFC 4343).
namespace gw::config {

/// ASCII letters alone, whatever the locale.
std::string lower_case(std::string_view text);

/// Under which the gateway is found in every domain, whatever its own name is.
inline constexpr std::string_view kGatewayLabel = "gateway";

/// Why nobody may have this name, or nullopt: programs give it a meaning of its own, or obey whoever has it (RFC 6761;
/// "wpad" and "isatap", which Windows looks up in its own domain and takes its proxy or its router from).
std::optional<std::string> why_reserved(std::string_view name);

/// Why no host or client can have this name where the gateway serves names, or nullopt: it is reserved, the gateway's,
/// or the endpoint's.
std::optional<std::string> why_kept(const Config& config, std::string_view name);

/// Why a client cannot have this name beside `config`, or nullopt: it is kept, or
/// a host's (whose place is named). Without `vpn.dns` no name is served, and every name is free.
std::optional<std::string> why_taken(const Config& config, std::string_view name);

}  // namespace gw::config
