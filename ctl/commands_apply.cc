// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ctl/edit.h"
#include "ctl/fields.h"
#include "ctl/format.h"

namespace gw::ctl {
namespace {

constexpr uint32_t kLongestConfirm = 86400;

std::string lines_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += printable(line) + "\n";
  return out;
}

/// Diagnostics come as lines (config::Diagnostic::str).
bool has_error(const std::vector<std::string>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const std::string& line) { return line.find(": error: ") != std::string::npos; });
}

Outcome<std::string> plan(Context& context) {
  auto answer = context.ask("GetPlan");
  if (!answer) return std::unexpected(answer.error());
  const Json result = {{"operations", answer->at(0)}, {"diagnostics", answer->at(1)}, {"files_differ", answer->at(2)}};
  const auto operations = list(result, "operations");
  const auto diagnostics = list(result, "diagnostics");
  if (context.json) return json_text(result);
  if (has_error(diagnostics)) {
    return refused("the files do not load; what is applied stays in force\n" + lines_of(diagnostics));
  }
  std::string out = context.style.paint(Tone::warn, lines_of(diagnostics));
  if (operations.empty()) {
    return out + (flag(result, "files_differ")
                      ? "The files differ from what is applied, but the kernel would stay as it is.\n"
                      : "Nothing to do: the kernel is as the files say.\n");
  }
  out += "'gwctl apply' would do " + plural(operations.size(), "operation") + ":\n";
  return out + operation_lines(operations, context.style);
}

struct ApplyOptions {
  uint32_t confirm = 0;
};

Outcome<std::string> apply(Context& context, const ApplyOptions& options) {
  const auto result = context.ask("Apply", "u", Json::array({options.confirm}));
  if (!result) return std::unexpected(result.error());
  return context.json ? json_text(*result) : applied_text(*result, context);
}

Outcome<std::string> confirm(Context& context) {
  if (const auto done = context.ask("Confirm"); !done) return std::unexpected(done.error());
  return context.json ? json_text({{"confirmed", true}}) : "Confirmed: what is applied stays.\n";
}

Outcome<std::string> rollback(Context& context) {
  const auto result = context.ask("Rollback");
  if (!result) return std::unexpected(result.error());
  if (context.json) return json_text(*result);
  return applied_text(*result, context) + "The files are as they were: 'gwctl plan' shows how they differ.\n";
}

}  // namespace

void add_apply_commands(CLI::App& app, Action& action) {
  add_command(app, "plan", "What 'apply' would do", action, plan);
  add_command<ApplyOptions>(
      app, "apply", "Make the kernel equal to the files", action,
      [](CLI::App& command, ApplyOptions& options) {
        command.add_option("--confirm", options.confirm, "Go back after SECONDS unless 'gwctl confirm' comes")
            ->check(CLI::Range(uint32_t{1}, kLongestConfirm))
            ->type_name("SECONDS");
      },
      apply);
  add_command(app, "confirm", "Keep what 'apply --confirm' did", action, confirm);
  add_command(app, "rollback", "Go back to the confirmed configuration before this one", action, rollback);
}

}  // namespace gw::ctl
