// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/draft.h"
#include "gatewayd/config/words.h"

namespace gw::config {
namespace {

constexpr uint64_t kMostSeconds = 3600;

// "15s", "2m".
std::optional<uint64_t> seconds_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char unit = text.back();
  text.remove_suffix(1);
  const auto count = parse_number(text, kMostSeconds);
  if (!count || (unit != 's' && unit != 'm')) return std::nullopt;
  const uint64_t seconds = unit == 'm' ? *count * 60 : *count;
  if (seconds == 0 || seconds > kMostSeconds) return std::nullopt;
  return seconds;
}

}  // namespace

void read_metrics(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  if (node == nullptr) return;
  const Section section(diagnostics, *node, "metrics", {"textfile", "interval"});
  Metrics metrics;
  const auto file =
      read_text(diagnostics, section.require("textfile", "textfile: /var/lib/prometheus/node-exporter/gatewayd.prom"));
  if (file) {
    metrics.textfile = file->text;
    if (!file->text.starts_with('/')) {
      diagnostics.error(file->mark,
                        fmt::format("'{}' is no absolute path; write one such as /{}", file->text, file->text));
    } else if (!file->text.ends_with(".prom")) {
      diagnostics.error(file->mark,
                        fmt::format("'{}' does not end in .prom, and node_exporter reads no other file", file->text));
    }
  }
  if (const auto interval = read_text(diagnostics, section.get("interval"))) {
    if (const auto seconds = seconds_of(interval->text)) {
      metrics.interval_seconds = static_cast<uint32_t>(*seconds);
    } else {
      diagnostics.error(interval->mark,
                        fmt::format("'{}' is no time from 1s to 60m; write one such as 15s or 1m", interval->text));
    }
  }
  draft.config.metrics = std::move(metrics);
}

}  // namespace gw::config
