// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctl/context.h"

/// What several commands have in common in reading their arguments. CLI11 checks them before anything is asked of the
/// gateway, and names the argument in its message.
namespace gw::ctl {

/// Argument checks. What the gateway alone can know (does the group exist, does the selector parse) is left to it.
CLI::Validator host_label();  ///< RFC 1123: what a client may be called
CLI::Validator prefix();      ///< "10.1.1.0/24", host bits zero
CLI::Validator address();
CLI::Validator tunnel();  ///< split or full

CLI::Validator time_span();  ///< what `seconds_of` takes
/// Seconds of "90s", "30m", "1h", "7d"; at least one, at most 3650 days.
std::optional<uint32_t> seconds_of(const std::string& text);

/// An option that may be given several times, one value each (or several by comma), so that it never swallows a name
/// that stands behind it.
CLI::Option* repeatable(CLI::App& command, const std::string& name, std::vector<std::string>& into,
                        const std::string& help);

/// Adds a command: its options are parsed into a T of its own, and `act` runs with it.
template <class T>
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& help, Action& action,
                      const std::function<void(CLI::App&, T&)>& declare,
                      const std::function<Outcome<std::string>(Context&, const T&)>& act) {
  auto options = std::make_shared<T>();
  CLI::App* command = parent.add_subcommand(name, help);
  declare(*command, *options);
  command->callback(
      [&action, options, act] { action = [options, act](Context& context) { return act(context, *options); }; });
  return command;
}

/// A command without options.
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& help, Action& action, Action act);

/// A command that only holds others: `gwctl client …`.
CLI::App* add_folder(CLI::App& parent, const std::string& name, const std::string& help);

}  // namespace gw::ctl
