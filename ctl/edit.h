// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/arguments.h"

namespace gw::ctl {

/// What every command has that changes the configuration: it writes, and applies only when told to.
struct EditOptions {
  std::string name;
  bool apply = false;
};

/// Declares NAME and --apply.
void declare_edit(CLI::App& command, EditOptions& options, const std::string& what);

/// Asks `method` for the change, then applies it when `options.apply`. `done` tells what was written: "Subnet web
/// added". When only the applying fails, the failure says that the change is in the files.
Outcome<std::string> edit(Context& context, const EditOptions& options, const std::string& method,
                          const std::string& signature, const Json& arguments, const std::string& done);

/// Operations of a plan, a line each, in the colour of what they do.
std::string operation_lines(const std::vector<std::string>& operations, const Style& style);

/// What Apply or Rollback answered, told.
std::string applied_text(const Json& result, const Context& context);

}  // namespace gw::ctl
