// SPDX-License-Identifier: Apache-2.0
// The maps of trusts, which an operator writes, and what certificates say, which anybody does: a map that is taken
// comes out the same again, a pattern fits what a slow and simple judge says it fits, and a name that comes of a
// certificate is a label. The first line is a map; each other one a kind of name, as a digit, and the name.
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "gatewayd/base/label.h"
#include "gatewayd/control/trust_map.h"

namespace {

using gw::pki::Claim;

void demand(bool holds) {
  if (!holds) std::abort();
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// Whether "*" standing for anything makes `text` of `pattern`: row by row, with nothing to step back to.
bool fits(const std::string& pattern, const std::string& text) {
  std::vector<bool> row(text.size() + 1, false);
  row[0] = true;
  for (const char c : pattern) {
    std::vector<bool> next(text.size() + 1, false);
    if (c == '*') next[0] = row[0];
    for (size_t i = 0; i < text.size(); ++i) {
      next[i + 1] = c == '*' ? next[i] || row[i + 1] : row[i] && text[i] == c;
    }
    row = std::move(next);
  }
  return row.back();
}

void check_map(const gw::registry::TrustMap& map) {
  demand(!map.groups.empty() && !map.pattern.empty());
  for (size_t i = 0; i < map.groups.size(); ++i) {
    demand(!map.groups[i].empty());
    demand(i == 0 || map.groups[i - 1] < map.groups[i]);
  }
  const auto again = gw::control::parse_map(gw::control::map_text(map));
  demand(again.has_value() && *again == map);
}

void check_fit(const std::string& pattern, const std::vector<Claim>& claims) {
  const bool fit = gw::control::matches(pattern, claims);
  if (pattern == "*") {
    demand(fit);
    return;
  }
  const size_t colon = pattern.find(':');
  const std::string kind = pattern.substr(0, colon);
  const std::string glob = pattern.substr(colon + 1);
  // Kinds whose case never matters.
  const std::optional<Claim::Kind> plain = kind == "dns"   ? std::optional(Claim::Kind::dns)
                                           : kind == "upn" ? std::optional(Claim::Kind::upn)
                                           : kind == "CN"  ? std::optional(Claim::Kind::common_name)
                                           : kind == "O"   ? std::optional(Claim::Kind::organisation)
                                           : kind == "OU"  ? std::optional(Claim::Kind::unit)
                                                           : std::nullopt;
  bool wanted = false;
  for (const Claim& claim : claims) {
    const bool exactly = fits(glob, claim.value);
    if (!plain) {
      const Claim::Kind mine = kind == "email" ? Claim::Kind::email : Claim::Kind::uri;
      // Where case may matter, what is the same to the letter fits, and what differs by more than case does not.
      if (claim.kind == mine && exactly) demand(fit);
      wanted = wanted || (claim.kind == mine && fits(lower(glob), lower(claim.value)));
      continue;
    }
    wanted = wanted || (claim.kind == *plain && fits(lower(glob), lower(claim.value)));
  }
  demand(plain ? fit == wanted : !fit || wanted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::istringstream lines(std::string(data, data + size));
  std::string line;
  std::getline(lines, line);
  const auto map = gw::control::parse_map(line);
  gw::pki::Holder holder;
  holder.certificate.subject = "CN=x";
  while (std::getline(lines, line)) {
    if (line.empty() || line[0] < '0' || line[0] > '6') continue;
    holder.claims.push_back({static_cast<Claim::Kind>(line[0] - '0'), line.substr(1)});
  }
  const auto named = gw::control::name_for(holder);
  if (named) demand(gw::is_label(named->name) && !named->identity.empty());
  if (!map) {
    demand(!map.error().detail.empty());
    return 0;
  }
  check_map(*map);
  check_fit(map->pattern, holder.claims);
  const auto groups = gw::control::groups_for({*map}, holder.claims);
  demand(groups.has_value() == gw::control::matches(map->pattern, holder.claims));
  demand(!groups || *groups == map->groups);
  return 0;
}
