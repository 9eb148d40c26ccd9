// SPDX-License-Identifier: Apache-2.0
#include "ctl/arguments.h"

namespace gw::ctl {
namespace {

Outcome<std::string> show(Context& context) {
  const auto text = context.ask("GetMetrics");
  if (!text) return std::unexpected(text.error());
  return context.json ? json_text(*text) : text->get<std::string>();
}

}  // namespace

void add_metrics_command(CLI::App& app, Action& action) {
  add_command(app, "metrics", "What the gateway counts, as Prometheus reads it", action, show);
}

}  // namespace gw::ctl
