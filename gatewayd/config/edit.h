// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "gatewayd/config/load.h"

/// Changes that gwctl makes. They touch gateway.d/90-gwctl.yaml and nothing else.
namespace gw::config {

inline constexpr const char* kDropIn = "gateway.d/90-gwctl.yaml";

/// Each returns `files` with the drop-in changed and everything loaded and validated again, or an Error whose detail
/// holds the diagnostics (EINVAL), EEXIST when the name is taken, ENOENT when there is no such thing, EPERM when it is
/// written in a hand-written file (the error names file:line and says to remove it there) or built in, EBUSY when rules
/// or `nat` name what would go (the error names them). Files that are wrong already are EINVAL as well. Nothing is
/// written to disk. What else the drop-in holds stays, with its comments; the layout becomes one line for each thing.
Result<Files> add_subnet(const Files& files, const std::string& name, const Subnet& subnet);
Result<Files> add_group(const Files& files, const std::string& name, const Group& group);
/// `before`/`after`: the name of the rule it stands next to. Services are taken as written (`service_names`).
Result<Files> add_rule(const Files& files, const Rule& rule, const std::optional<std::string>& before,
                       const std::optional<std::string>& after);
Result<Files> add_site(const Files& files, const std::string& name, const Site& site);
Result<Files> remove_subnet(const Files& files, const std::string& name);
Result<Files> remove_group(const Files& files, const std::string& name);
Result<Files> remove_rule(const Files& files, const std::string& name);
Result<Files> remove_site(const Files& files, const std::string& name);

/// Writes the drop-in of `files` into `directory`, atomically and synced, 0644.
Result<void> write_drop_in(const std::string& directory, const Files& files);

/// "group:developers" and the like; EINVAL names the words that are allowed.
Result<Selector> parse_selector(std::string_view text);
/// "host:port"; the port may be missing where there is a default. EINVAL with what would be right.
Result<Endpoint> parse_endpoint(std::string_view text, std::optional<uint16_t> default_port);
/// "tcp/443", "udp/1000-2000", "icmp", "proto/47", "any", or a built-in name such as "ssh".
Result<std::vector<Service>> parse_service(std::string_view text,
                                           const std::map<std::string, std::vector<Service>>& named);

}  // namespace gw::config
