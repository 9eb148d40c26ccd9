// SPDX-License-Identifier: Apache-2.0
#include "ctl/arguments.h"

#include <charconv>

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

std::optional<uint32_t> seconds_of(const std::string& text) {
  constexpr uint64_t kMost = 3650ULL * 86400;
  uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, count);
  if (status != std::errc{} || end - rest != 1 || count == 0 || count > kMost) return std::nullopt;
  const uint64_t unit = *rest == 's' ? 1 : *rest == 'm' ? 60 : *rest == 'h' ? 3600 : *rest == 'd' ? 86400 : 0;
  if (unit == 0 || count * unit > kMost) return std::nullopt;
  return static_cast<uint32_t>(count * unit);
}

CLI::Validator time_span() {
  return {[](const std::string& text) {
            return seconds_of(text) ? std::string()
                                    : "'" + text + "' is no time to live such as 90s, 30m, 1h or 7d (at most 3650d)";
          },
          "TIME"};
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
