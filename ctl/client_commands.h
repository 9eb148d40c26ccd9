// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctl/arguments.h"

/// The groups of client commands; commands_client.cc puts them together.
namespace gw::ctl {

void add_client_issue_commands(CLI::App& folder, Action& action);   ///< add, rekey, export
void add_client_show_commands(CLI::App& folder, Action& action);    ///< list, show
void add_client_change_commands(CLI::App& folder, Action& action);  ///< set, renew, revoke, remove

}  // namespace gw::ctl
