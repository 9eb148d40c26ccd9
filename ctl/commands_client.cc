// SPDX-License-Identifier: Apache-2.0
#include "ctl/client_commands.h"

namespace gw::ctl {

void add_client_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "client", "Devices with access");
  add_client_show_commands(*folder, action);
  add_client_issue_commands(*folder, action);
  add_client_change_commands(*folder, action);
}

}  // namespace gw::ctl
