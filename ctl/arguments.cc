// SPDX-License-Identifier: Apache-2.0
#include "ctl/arguments.h"

#include "gatewayd/base/ip.h"
#include "gatewayd/base/label.h"

namespace gw::ctl {

CLI::Validator host_label() {
  return {[](const std::string& text) {
            return is_label(text) ? std::string()
                                  : "'" + text + "' is no host name: use 1 to 63 of a-z, 0-9 and -, not - at an end";
          },
          ""};
}

CLI::Validator prefix() {
  return {[](const std::string& text) {
            return Prefix::parse(text)
                       ? std::string()
                       : "'" + text + "' is no address block such as 10.1.1.0/24 (host bits must be zero)";
          },
          "PREFIX"};
}

CLI::Validator address() {
  return {[](const std::string& text) {
            return IpAddress::parse(text) ? std::string() : "'" + text + "' is no IPv4 or IPv6 address";
          },
          "ADDRESS"};
}

CLI::Validator tunnel() {
  return {[](const std::string& text) {
            return text == "split" || text == "full" ? std::string() : "'" + text + "' is neither split nor full";
          },
          "split|full"};
}

CLI::Option* repeatable(CLI::App& command, const std::string& name, std::vector<std::string>& into,
                        const std::string& help) {
  return command.add_option(name, into, help)->allow_extra_args(false)->delimiter(',');
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& help, Action& action, Action act) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->callback([&action, act = std::move(act)] { action = act; });
  return command;
}

CLI::App* add_folder(CLI::App& parent, const std::string& name, const std::string& help) {
  CLI::App* folder = parent.add_subcommand(name, help);
  folder->require_subcommand(1);
  return folder;
}

}  // namespace gw::ctl
