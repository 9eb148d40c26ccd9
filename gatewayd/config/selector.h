// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/config/config.h"

/// The words that rules are made of. The unexpected value says what is wrong and what would be right.
namespace gw::config {

std::expected<Selector, std::string> selector_of(std::string_view text);

/// `named` comes first, then the built-in names.
std::expected<std::vector<Service>, std::string> services_of(std::string_view text,
                                                             const std::map<std::string, std::vector<Service>>& named);

/// "ssh", "ping" and what else an administrator expects to find.
const std::map<std::string, std::vector<Service>>& built_in_services();

/// Words of the syntax itself, which `services:` cannot give another meaning.
bool is_service_word(std::string_view name);

}  // namespace gw::config
