// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ctl/bus.h"
#include "ctl/outcome.h"
#include "ctl/table.h"
#include "gatewayd/base/clock.h"

namespace CLI {
class App;
}

namespace gw::ctl {

/// What a command works with: the global options, the terminal, the clock, and the gateway, which is connected to when
/// the first question is asked. One thread.
class Context {
 public:
  explicit Context(const Clock& clock) : clock_(clock) {}

  bool json = false;  ///< --json
  std::string host;   ///< --host; empty: this machine
  Style style;        ///< of the standard output

  [[nodiscard]] UnixSeconds now() const { return clock_.now(); }
  /// Calls a method of the gateway. A single answer comes as it is, several as an array, none as null.
  Outcome<Json> ask(const std::string& method, const std::string& signature = "",
                    const Json& arguments = Json::array());
  /// The same for a method that answers with a file descriptor.
  Outcome<UniqueFd> ask_for_fd(const std::string& method, const std::string& signature, const Json& arguments);
  /// A line on stderr beside the result.
  void warn(const std::string& text) const;

 private:
  Outcome<void> connect();

  const Clock& clock_;
  std::optional<Bus> bus_;
};

/// A command: returns what goes to the standard output. It may hold a secret (a profile); who prints it wipes it.
using Action = std::function<Outcome<std::string>(Context&)>;

/// Each adds its commands to `app`; parsing the command line then leaves the chosen one in `action`.
void add_status_command(CLI::App& app, Action& action);
void add_apply_commands(CLI::App& app, Action& action);
void add_subnet_commands(CLI::App& app, Action& action);
void add_site_commands(CLI::App& app, Action& action);
void add_group_commands(CLI::App& app, Action& action);
void add_rule_commands(CLI::App& app, Action& action);
void add_client_commands(CLI::App& app, Action& action);
void add_certificate_commands(CLI::App& app, Action& action);
void add_ca_commands(CLI::App& app, Action& action);
void add_trust_commands(CLI::App& app, Action& action);  ///< below `ca`, which has to be there
void add_block_commands(CLI::App& app, Action& action);
void add_token_commands(CLI::App& app, Action& action);
void add_backup_commands(CLI::App& app, Action& action);
void add_system_commands(CLI::App& app, Action& action);
void add_explain_command(CLI::App& app, Action& action);
void add_flows_command(CLI::App& app, Action& action);
void add_monitor_command(CLI::App& app, Action& action);
void add_metrics_command(CLI::App& app, Action& action);

/// The whole program but for what `main` passes in. Prints; returns the exit code.
int run(int argc, const char* const* argv, const Clock& clock, const std::string& version);

/// A value as --json prints it.
std::string json_text(const Json& value);

}  // namespace gw::ctl
