// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "ctl/context.h"
#include "gatewayd/base/nearest.h"
#include "gatewayd/pki/pki.h"

namespace gw::ctl {
namespace {

int complain(const Failure& failure) {
  fmt::print(stderr, "{}{}\n", Style::of(STDERR_FILENO).paint(Tone::bad, "gwctl: "), failure.text);
  return static_cast<int>(failure.exit);
}

int print(std::string& text) {
  const bool good = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  const int code = errno;
  pki::wipe(text);
  return good ? 0
              : complain(
                    {Exit::refused, std::string("cannot write the standard output: ") + std::strerror(code), false});
}

/// What stands where a command should: CLI11 only says that one is missing.
std::string unknown_command(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  const auto words = app.remaining(true);
  if (words.empty() || words.front().starts_with('-')) return "";
  std::vector<std::string> known;
  for (const CLI::App* command : at->get_subcommands({})) known.push_back(command->get_name());
  return "'" + words.front() + "' is no command of " + (at == &app ? "gwctl" : "gwctl " + at->get_name()) +
         did_you_mean(words.front(), known);
}

/// CLI11 ends the parse by an exception, for help as well as for a mistake.
int end_of_parse(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  std::string text = error.get_name() == "RequiredError" ? unknown_command(app) : "";
  if (text.empty()) text = error.what();
  return complain({Exit::usage, text + "\nRun gwctl --help, or the command with --help.", false});
}

}  // namespace

int run(int argc, const char* const* argv, const Clock& clock, const std::string& version) {
  std::setlocale(LC_CTYPE, "");
  // A profile passes through this buffer: unbuffered, no copy of it stays behind.
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  Context context(clock);
  context.style = Style::of(STDOUT_FILENO);
  Action action;

  CLI::App app("gwctl: the gateway from the command line", "gwctl");
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", "gwctl " + version);
  app.add_flag("--json", context.json, "Print the answer as JSON");
  app.add_option("-H,--host", context.host, "Ask the gateway on another machine, through ssh")->type_name("USER@HOST");
  add_status_command(app, action);
  add_apply_commands(app, action);
  add_subnet_commands(app, action);
  add_site_commands(app, action);
  add_group_commands(app, action);
  add_rule_commands(app, action);
  add_client_commands(app, action);
  add_certificate_commands(app, action);
  add_ca_commands(app, action);
  add_trust_commands(app, action);
  add_token_commands(app, action);
  add_block_commands(app, action);
  add_backup_commands(app, action);
  add_system_commands(app, action);
  add_explain_command(app, action);
  add_flows_command(app, action);
  add_monitor_command(app, action);
  add_metrics_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return end_of_parse(app, error);
  }

  auto done = action(context);
  return done ? print(*done) : complain(done.error());
}

}  // namespace gw::ctl
