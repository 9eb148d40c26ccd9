// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/outcome.h"

/// Members of a dictionary that gatewayd sent. Members without a value are left out on the wire; a member that is
/// missing, or not of the type that is asked for, reads as the empty value.
namespace gw::ctl {

std::string text(const Json& dictionary, const std::string& key);
std::vector<std::string> list(const Json& dictionary, const std::string& key);
std::string joined(const Json& dictionary, const std::string& key, const std::string& separator = ", ");
uint64_t number(const Json& dictionary, const std::string& key);
int64_t time_of(const Json& dictionary, const std::string& key);  ///< Unix seconds; 0: none
bool flag(const Json& dictionary, const std::string& key);
Json items(const Json& dictionary, const std::string& key);  ///< of a list of dictionaries, or a dictionary

/// What to show where there is nothing to show.
std::string or_dash(std::string text);

}  // namespace gw::ctl
