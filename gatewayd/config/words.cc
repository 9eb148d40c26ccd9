// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace gw::config {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxDevice = 15;
constexpr size_t kMaxWord = 64;  // longer words get no spelling hint: the table below would grow with them
constexpr size_t kMaxListed = 16;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Optimal string alignment: insert, delete, replace, or swap two neighbours, each for one.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  std::iota(cost[0].begin(), cost[0].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string join(std::span<const std::string_view> words) { return fmt::format("{}", fmt::join(words, ", ")); }

std::string hint(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    if (word.size() > kMaxWord || candidate.size() > kMaxWord) continue;
    const size_t d = distance(word, candidate);
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  if (!best.empty()) return fmt::format("; did you mean '{}'?", best);
  if (known.empty()) return {};
  if (known.size() > kMaxListed)
    return fmt::format("; known are {} and {} more", join(known.first(kMaxListed)), known.size() - kMaxListed);
  return "; known are " + join(known);
}

std::optional<std::string> why_no_label(std::string_view name) {
  if (name.empty()) return "a name cannot be empty";
  if (name.size() > kMaxLabel)
    return fmt::format("a name has at most {} characters, this one has {}", kMaxLabel, name.size());
  if (!std::all_of(name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || c == '-'; })) {
    return "a name is made of letters, digits and hyphens";
  }
  if (name.front() == '-' || name.back() == '-') return "a name begins and ends with a letter or digit";
  return std::nullopt;
}

std::optional<std::string> why_no_device(std::string_view name) {
  if (name.empty()) return "a device name cannot be empty";
  if (name.size() > kMaxDevice)
    return fmt::format("a device name has at most {} characters, this one has {}", kMaxDevice, name.size());
  if (name == "." || name == "..") return "this is no device name";
  const auto bad = [](char c) { return c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' '; };
  if (std::any_of(name.begin(), name.end(), bad)) return "a device name has no '/', ':' or space";
  return std::nullopt;
}

std::optional<std::string> why_no_address(const IpAddress& address) {
  static const Prefix kMapped = *Prefix::parse("::ffff:0:0/96");
  if (!kMapped.contains(address)) return std::nullopt;
  return fmt::format("{} is an IPv4 address in IPv6 clothes; write {}", address.str(),
                     IpAddress::from_mapped(address.bytes).str());
}

std::optional<uint64_t> parse_number(std::string_view text, uint64_t max) {
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || status != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

}  // namespace gw::config
