// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/client_commands.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/issue.h"
#include "gatewayd/base/file.h"

namespace gw::ctl {
namespace {

struct NameOptions {
  std::string name;
};

struct SetOptions : NameOptions {
  std::vector<std::string> groups, add_groups, remove_groups;
  std::optional<std::string> tunnel, description;
  bool disable = false, enable = false;
};

struct RenewOptions : NameOptions {
  uint32_t days = kDefaultDays;
  std::string out;
  bool force = false;
};

struct RevokeOptions : NameOptions {
  std::string reason = "unspecified";
};

void declare_name(CLI::App& command, NameOptions& options) {
  command.add_option("NAME", options.name, "The client's name")->required();
}

void declare_set(CLI::App& command, SetOptions& options) {
  declare_name(command, options);
  auto* groups = repeatable(command, "--group", options.groups, "The groups it is in, in place of those it was in");
  repeatable(command, "--add-group", options.add_groups, "A group it joins")->excludes(groups);
  repeatable(command, "--remove-group", options.remove_groups, "A group it leaves")->excludes(groups);
  command
      .add_option("--tunnel", options.tunnel, "What it sends through the tunnel; default: the group's or the gateway's")
      ->check(CLI::IsMember({"split", "full", "default"}));
  command.add_option("--description", options.description, "A word for people")->type_name("TEXT");
  auto* disable = command.add_flag("--disable", options.disable, "Take its access away, for a time");
  command.add_flag("--enable", options.enable, "Give its access back")->excludes(disable);
}

Outcome<std::string> set(Context& context, const SetOptions& options) {
  Json change = Json::object();
  if (!options.groups.empty()) change["groups"] = options.groups;
  if (!options.add_groups.empty()) change["add_groups"] = options.add_groups;
  if (!options.remove_groups.empty()) change["remove_groups"] = options.remove_groups;
  if (options.tunnel) change["tunnel"] = *options.tunnel == "default" ? "" : *options.tunnel;
  if (options.description) change["description"] = *options.description;
  if (options.disable || options.enable) change["disabled"] = options.disable;
  if (change.empty()) return usage("client set", "nothing to change is given: see gwctl client set --help");
  const auto done = context.ask("SetClient", "sa{sv}", Json::array({options.name, change}));
  if (!done) return std::unexpected(done.error());
  return context.json ? json_text({{"client", options.name}, {"changed", change}})
                      : "Client " + options.name + " changed.\n";
}

Outcome<std::string> renew(Context& context, const RenewOptions& options) {
  if (!options.out.empty()) {
    if (auto good = check_output("--out", options.out, options.force); !good) return std::unexpected(good.error());
  }
  const auto certificate = context.ask("RenewClient", "su", Json::array({options.name, options.days}));
  if (!certificate) return std::unexpected(certificate.error());
  if (!options.out.empty()) {
    constexpr mode_t kMode = 0644;
    if (const auto written = write_file_atomically(options.out, text(*certificate, "pem"), kMode); !written) {
      return refused(written.error().message() + "\nThe certificate is issued: 'gwctl cert show --pem " +
                     text(*certificate, "serial") + "' prints it.");
    }
  }
  if (context.json) return json_text(*certificate);
  return fmt::format("Client {} has a new certificate for the same key; it ends {} ({}). Its profile stays as it is.\n",
                     options.name, until(context.now(), time_of(*certificate, "not_after")),
                     date(time_of(*certificate, "not_after")));
}

Outcome<std::string> revoke(Context& context, const RevokeOptions& options) {
  const auto done = context.ask("RevokeClient", "ss", Json::array({options.name, options.reason}));
  if (!done) return std::unexpected(done.error());
  if (context.json) return json_text({{"client", options.name}, {"revoked", options.reason}});
  return "Client " + options.name + " is revoked: none of its packets pass any more.\n";
}

Outcome<std::string> remove(Context& context, const NameOptions& options) {
  const auto done = context.ask("RemoveClient", "s", Json::array({options.name}));
  if (!done) return std::unexpected(done.error());
  if (context.json) return json_text({{"client", options.name}, {"removed", true}});
  return "Client " + options.name + " is removed: its certificates are revoked, its name and addresses free.\n";
}

}  // namespace

void add_client_change_commands(CLI::App& folder, Action& action) {
  add_command<SetOptions>(folder, "set", "Change groups, tunnel, description; disable or enable", action, declare_set,
                          set);
  add_command<RenewOptions>(
      folder, "renew", "Issue a new certificate for the same key; nothing changes on the device", action,
      [](CLI::App& command, RenewOptions& options) {
        declare_name(command, options);
        command.add_option("--days", options.days, "How long it is valid")
            ->check(CLI::Range(1U, kMostDays))
            ->capture_default_str();
        command.add_option("--out", options.out, "Write the certificate there, as PEM")->type_name("FILE");
        command.add_flag("--force", options.force, "Overwrite a file that exists");
      },
      renew);
  add_command<RevokeOptions>(
      folder, "revoke", "Take access away for good, at once", action,
      [](CLI::App& command, RevokeOptions& options) {
        declare_name(command, options);
        command.add_option("--reason", options.reason, "keyCompromise, cessationOfOperation, … (RFC 5280)")
            ->capture_default_str();
      },
      revoke);
  add_command<NameOptions>(folder, "remove", "Revoke it and forget it; its addresses become free", action, declare_name,
                           remove);
}

}  // namespace gw::ctl
