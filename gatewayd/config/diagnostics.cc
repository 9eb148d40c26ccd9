// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/diagnostics.h"

#include <algorithm>

namespace gw::config {
namespace {

constexpr size_t kMaxText = 1000;

/// One line of bearable length, whatever it quotes from the file.
std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  if (text.size() <= kMaxText) return text;
  size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;  // not within a character
  return text.substr(0, end) + "…";
}

}  // namespace

void Diagnostics::error(const Mark& mark, std::string text) {
  found_.push_back({mark, Diagnostic::Severity::error, one_line(std::move(text))});
}

void Diagnostics::missing(const Mark& mark, std::string text) {
  if (!partial_) error(mark, std::move(text));
}

void Diagnostics::warning(const Mark& mark, std::string text) {
  found_.push_back({mark, Diagnostic::Severity::warning, one_line(std::move(text))});
}

Origin Diagnostics::origin(const Mark& mark) const {
  return {mark.file < files_.size() ? files_[mark.file] : "gateway.yaml", static_cast<int>(mark.line),
          static_cast<int>(mark.column)};
}

std::vector<Diagnostic> Diagnostics::take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.mark < b.mark; });
  std::vector<Diagnostic> out;
  out.reserve(found_.size());
  for (Found& found : found_) out.push_back({found.severity, origin(found.mark), std::move(found.text)});
  found_.clear();
  return out;
}

std::string Diagnostic::str() const {
  return origin.str() + (severity == Severity::error ? ": error: " : ": warning: ") + text;
}

}  // namespace gw::config
