// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/diagnostics.h"

#include <algorithm>

namespace gw::config {

void Diagnostics::error(const Mark& mark, std::string text) {
  found_.push_back({mark, Diagnostic::Severity::error, std::move(text)});
}

void Diagnostics::missing(const Mark& mark, std::string text) {
  if (!partial_) error(mark, std::move(text));
}

void Diagnostics::warning(const Mark& mark, std::string text) {
  found_.push_back({mark, Diagnostic::Severity::warning, std::move(text)});
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
