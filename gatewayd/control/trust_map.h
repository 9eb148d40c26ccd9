// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/result.h"
#include "gatewayd/pki/foreign.h"
#include "gatewayd/registry/registry.h"

/// What an organisation's certificate makes of its holder: a client's name, and groups. Pure.
///
/// A pattern is "*", for every certificate, or a kind and what that has to look like: "dns:*.lab.example",
/// "email:*@contoso.example", "upn:…", "uri:…", "CN:…", "O:…", "OU:…". "*" stands for any characters, dots among them,
/// or for none; there is no other wildcard and no way to write a "*" that is none. Upper and lower case (of ASCII) are
/// the same where the standards say so: in names of hosts, user principals and subjects (RFC 5280 §7.1), in the part
/// behind the "@" of an address (§7.5) and in what stands before the path of a URI (§7.4), but not before the "@" or in
/// the path.
namespace gw::control {

/// "PATTERN=GROUP,GROUP", cut at the last "=". EINVAL with what is wrong: an unknown kind, no pattern, no group,
/// control characters, longer than 256 bytes, or an address without "@", which would match addresses of other domains.
Result<registry::TrustMap> parse_map(const std::string& text);
std::string map_text(const registry::TrustMap& map);

/// Of a pattern that parse_map took; others match nothing.
bool matches(const std::string& pattern, const std::vector<pki::Claim>& claims);

/// The groups of all maps that match, sorted; nullopt: none does.
std::optional<std::vector<std::string>> groups_for(const std::vector<registry::TrustMap>& maps,
                                                   const std::vector<pki::Claim>& claims);

struct Named {
  std::string name;      ///< a label, for the client
  std::string identity;  ///< who it is, in full: two who would have one name differ here
  bool operator==(const Named&) const = default;
};

/// By the first dNSName its first label; else by the first address or user principal what stands before the "@"; else
/// by the innermost common name. Of what is no letter, digit or "-" there, runs become one "-". EINVAL with the reason
/// when that makes no label.
Result<Named> name_for(const pki::Holder& holder);

}  // namespace gw::control
