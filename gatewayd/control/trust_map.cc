// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/trust_map.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <string_view>

#include "gatewayd/base/label.h"

namespace gw::control {
namespace {

using pki::Claim;

constexpr size_t kLongestMap = 256;

struct Word {
  std::string_view text;
  Claim::Kind kind;
};
constexpr std::array kWords = {Word{"dns", Claim::Kind::dns},        Word{"email", Claim::Kind::email},
                               Word{"upn", Claim::Kind::upn},        Word{"uri", Claim::Kind::uri},
                               Word{"CN", Claim::Kind::common_name}, Word{"O", Claim::Kind::organisation},
                               Word{"OU", Claim::Kind::unit}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string text, size_t from, size_t to) {
  std::transform(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(to),
                 text.begin() + static_cast<std::ptrdiff_t>(from), lower);
  return text;
}

/// Where the path of a URI begins.
size_t path_of(const std::string& uri) {
  const size_t scheme = uri.find(':');
  if (scheme == std::string::npos) return 0;
  if (uri.compare(scheme, 3, "://") != 0) return scheme;
  return std::min(uri.find('/', scheme + 3), uri.size());
}

/// In the one spelling in which values of this kind are compared.
std::string folded(Claim::Kind kind, const std::string& text) {
  size_t from = 0;
  size_t to = text.size();
  if (kind == Claim::Kind::uri) to = path_of(text);
  if (const size_t at = text.rfind('@'); kind == Claim::Kind::email && at != std::string::npos) from = at;
  return lowered(text, from, to);
}

/// Steps back to the last "*" only, so that it takes at most the product of both lengths.
bool globs(std::string_view pattern, std::string_view text) {
  size_t at = 0;
  size_t in_text = 0;
  size_t star = std::string_view::npos;
  size_t taken = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = in_text;
    } else if (at < pattern.size() && pattern[at] == text[in_text]) {
      ++at;
      ++in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

struct Pattern {
  const Word* word = nullptr;  ///< null: every certificate
  std::string glob;
};

std::optional<Pattern> split(const std::string& text) {
  if (text == "*") return Pattern{nullptr, "*"};
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string_view kind = std::string_view(text).substr(0, colon);
  const auto* word = std::ranges::find_if(kWords, [&](const Word& known) {
    return std::ranges::equal(known.text, kind, [](char a, char b) { return lower(a) == lower(b); });
  });
  if (word == kWords.end()) return std::nullopt;
  return Pattern{word, text.substr(colon + 1)};
}

std::unexpected<Error> wrong(const std::string& map, std::string why) {
  return failure(EINVAL, "map", map, std::move(why));
}

std::vector<std::string> split_groups(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

Result<Named> named(const std::string& text, std::string identity) {
  std::string label;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return failure(EINVAL, "name", identity, "'" + text + "' has letters that no host name can have");
    const char low = lower(c);
    const bool good = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
    if (good || (!label.empty() && label.back() != '-')) label += good ? low : '-';
  }
  while (label.ends_with('-')) label.pop_back();
  if (!is_label(label))
    return failure(EINVAL, "name", identity, "'" + text + "' makes no host name of at most 63 of a-z, 0-9 and '-'");
  return Named{std::move(label), std::move(identity)};
}

}  // namespace

Result<registry::TrustMap> parse_map(const std::string& text) {
  if (text.size() > kLongestMap) return wrong(text.substr(0, 40) + "…", "it is longer than 256 bytes");
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return wrong({}, "it holds control characters");
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos) return wrong(text, "write PATTERN=GROUP, such as 'dns:*.lab.example=developers'");
  const auto pattern = split(text.substr(0, equals));
  if (!pattern || pattern->glob.empty()) {
    return wrong(text, "a pattern is '*', or one of dns: email: upn: uri: CN: O: OU: and what that has to look like");
  }
  const bool address = pattern->word != nullptr &&
                       (pattern->word->kind == Claim::Kind::email || pattern->word->kind == Claim::Kind::upn);
  if (address && pattern->glob != "*" && !pattern->glob.contains('@'))
    return wrong(text, "write the '@' too, such as '*@contoso.example': else other domains that end so would match");
  auto groups = split_groups(text.substr(equals + 1));
  if (std::ranges::find(groups, "") != groups.end()) return wrong(text, "there is no group behind the '='");
  const std::string kind = pattern->word == nullptr ? "" : std::string(pattern->word->text) + ":";
  return registry::TrustMap{kind + pattern->glob, std::move(groups)};
}

std::string map_text(const registry::TrustMap& map) {
  std::string out = map.pattern + "=";
  for (const std::string& group : map.groups) out += (out.ends_with('=') ? "" : ",") + group;
  return out;
}

bool matches(const std::string& pattern, const std::vector<Claim>& claims) {
  const auto wanted = split(pattern);
  if (!wanted) return false;
  if (wanted->word == nullptr) return true;
  const Claim::Kind kind = wanted->word->kind;
  const std::string glob = folded(kind, wanted->glob);
  return std::ranges::any_of(
      claims, [&](const Claim& claim) { return claim.kind == kind && globs(glob, folded(kind, claim.value)); });
}

std::optional<std::vector<std::string>> groups_for(const std::vector<registry::TrustMap>& maps,
                                                   const std::vector<Claim>& claims) {
  std::optional<std::vector<std::string>> out;
  for (const registry::TrustMap& map : maps) {
    if (!matches(map.pattern, claims)) continue;
    if (!out) out.emplace();
    std::ranges::copy(map.groups, std::back_inserter(*out));
  }
  if (!out) return out;
  std::ranges::sort(*out);
  out->erase(std::ranges::unique(*out).begin(), out->end());
  return out;
}

Result<Named> name_for(const pki::Holder& holder) {
  const auto& claims = holder.claims;
  if (const auto host = std::ranges::find(claims, Claim::Kind::dns, &Claim::kind); host != claims.end()) {
    const std::string full = folded(host->kind, host->value);
    if (full.contains('*')) return failure(EINVAL, "name", "dns:" + full, "it is for many hosts, and not for one");
    return named(full.substr(0, full.find('.')), "dns:" + full);
  }
  const auto person = std::ranges::find_if(
      claims, [](const Claim& claim) { return claim.kind == Claim::Kind::email || claim.kind == Claim::Kind::upn; });
  if (person != claims.end()) {
    const std::string full = folded(person->kind, person->value);
    const char* kind = person->kind == Claim::Kind::email ? "email:" : "upn:";
    return named(full.substr(0, full.rfind('@')), kind + full);
  }
  // A directory's subject has common names for its folders too, the outermost first.
  const std::string whole = "subject:" + holder.certificate.subject;
  for (auto claim = claims.rbegin(); claim != claims.rend(); ++claim) {
    if (claim->kind == Claim::Kind::common_name) return named(claim->value, whole);
  }
  return failure(EINVAL, "name", whole, "it names neither a host nor a person");
}

}  // namespace gw::control
