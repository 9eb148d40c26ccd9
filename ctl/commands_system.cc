// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "ctl/arguments.h"
#include "ctl/facts.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/rauc.h"

/// The system that gatewayd runs on, where it is an image with two slots.
namespace gw::ctl {
namespace {

struct UpdateOptions {
  std::string file;
};

void declare(CLI::App& command, UpdateOptions& options) {
  command.add_option("FILE", options.file, "A signed bundle; with --host, where it lies on that machine")->required();
}

/// On a terminal one line that changes, else a line for each step.
class ProgressLine {
 public:
  void show(int percent, const std::string& what) {
    const std::string line = fmt::format("{:3} %  {}", percent, printable(what));
    if (line == last_) return;
    last_ = line;
    if (terminal_) {
      fmt::print(stderr, "\r\033[K{}", line);
      std::fflush(stderr);
    } else {
      fmt::print(stderr, "{}\n", line);
    }
  }
  ~ProgressLine() {
    if (terminal_ && !last_.empty()) fmt::print(stderr, "\n");
  }
  ProgressLine() = default;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::string last_;
};

Outcome<std::string> update(Context& context, const UpdateOptions& options) {
  std::error_code error;
  std::string file = options.file;
  if (context.host.empty()) {
    file = std::filesystem::absolute(file, error);
    if (error || !std::filesystem::is_regular_file(file, error)) return usage("FILE", "there is no file " + file);
  } else if (!file.starts_with('/')) {
    return usage("FILE", "with --host give where it lies on that machine, from / on: copy it there with scp first");
  }
  auto rauc = Rauc::open(context.host);
  if (!rauc) return std::unexpected(rauc.error());
  {
    ProgressLine line;
    const auto show = [&](int percent, const std::string& what) {
      if (!context.json) line.show(percent, what);
    };
    if (auto done = rauc->install(file, show); !done) return std::unexpected(done.error());
  }
  if (context.json) return json_text({{"installed", file}});
  return "The new system is installed beside the running one, and the next to boot: reboot when it suits. If it does "
         "not become healthy (gwctl status --health), this one is booted again by itself.\n";
}

Tone tone_of(const std::string& boot_status) {
  if (boot_status == "good") return Tone::good;
  return boot_status == "bad" ? Tone::bad : Tone::plain;
}

Outcome<std::string> show(Context& context) {
  auto rauc = Rauc::open(context.host);
  if (!rauc) return std::unexpected(rauc.error());
  const auto status = rauc->status();
  if (!status) return std::unexpected(status.error());
  if (context.json) return json_text(*status);
  Facts facts;
  facts.add("machine", or_dash(text(*status, "compatible")));
  facts.add("booted", or_dash(text(*status, "boot_slot")));
  facts.add("next boot", or_dash(text(*status, "primary")));
  if (text(*status, "operation") != "idle") facts.add("now", text(*status, "operation"), Tone::warn);
  if (const std::string error = text(*status, "last_error"); !error.empty()) {
    facts.add("last error", explain_rauc_error(error), Tone::bad);
  }
  Table table({{"SLOT"}, {"BOOT NAME"}, {"STATE"}, {"HEALTH"}, {"VERSION"}, {"INSTALLED"}});
  for (const Json& slot : items(*status, "slots")) {
    const std::string health = text(slot, "boot-status");
    table.add({text(slot, "name"),
               or_dash(text(slot, "bootname")),
               or_dash(text(slot, "state")),
               {or_dash(health), tone_of(health)},
               or_dash(text(slot, "bundle.version")),
               or_dash(text(slot, "installed.timestamp"))});
  }
  const auto lines = table.render(context.style);
  if (!lines) return lines;
  return facts.render(context.style) + "\n" + *lines;
}

Outcome<std::string> rollback(Context& context) {
  auto rauc = Rauc::open(context.host);
  if (!rauc) return std::unexpected(rauc.error());
  const auto slot = rauc->activate_other();
  if (!slot) return std::unexpected(slot.error());
  if (context.json) return json_text({{"primary", *slot}});
  return printable(*slot) +
         " is the next to boot: reboot to go back. Configuration, clients and revocations stay as they are.\n";
}

}  // namespace

void add_system_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "system", "The system below, where it is an image with two slots");
  add_command(*folder, "status", "The slots: which is booted, which is good, what is in them", action, show);
  add_command<UpdateOptions>(*folder, "update", "Install a signed bundle beside the running system", action, declare,
                             update);
  add_command(*folder, "rollback", "Boot the other system next time", action, rollback);
}

}  // namespace gw::ctl
