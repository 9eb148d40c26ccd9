// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "ctl/arguments.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/qr.h"

/// Invitations: how a device gets in by itself.
namespace gw::ctl {
namespace {

struct CreateOptions {
  std::vector<std::string> groups;
  std::string name, tunnel, description;
  std::string ttl = "15m";
  uint32_t uses = 1;
  uint32_t days = 30;
  bool qr = false;
};

struct RevokeOptions {
  uint64_t id = 0;
};

void declare_create(CLI::App& command, CreateOptions& options) {
  repeatable(command, "--group", options.groups, "Put the device into this group; may be given several times");
  command.add_option("--name", options.name, "What it will be called (what it calls itself unless given)")
      ->check(host_label());
  command.add_option("--ttl", options.ttl, "How long the invitation holds, such as 15m, 1h or 7d")
      ->check(time_span())
      ->capture_default_str();
  command.add_option("--uses", options.uses, "For how many devices it is")->capture_default_str();
  command.add_option("--days", options.days, "Days that each certificate is valid; gwconnect renews it by itself")
      ->capture_default_str();
  command.add_option("--tunnel", options.tunnel, "split or full (that of the groups or the gateway unless given)")
      ->check(tunnel());
  command.add_option("--description", options.description, "For people")->type_name("TEXT");
  command.add_flag("--qr", options.qr, "Show the link as a QR code too, when this is no terminal (on one it is shown)");
}

/// The part of a join link before its path: "https://vpn.contoso.example".
std::string base_of(const std::string& link) { return link.substr(0, link.find("/join#")); }

Outcome<std::string> invitation(const Context& context, const CreateOptions& options, const Json& handout) {
  const std::string link = text(handout, "link");
  const std::string pin = text(handout, "pin");
  std::string groups;
  for (const std::string& group : options.groups) groups += (groups.empty() ? " in " : ", ") + group;
  std::string out =
      fmt::format("Token {} holds for {}, for {}{}.\n\nOn the device, with gwconnect:\n    gwconnect join '{}'\n",
                  number(handout, "id"), duration(time_of(handout, "expires") - context.now()),
                  plural(options.uses, "device"), groups, link);
  if (!pin.empty()) {
    out += fmt::format(
        "\nOn a Linux machine without it (curl, openssl and wireguard-tools), as root:\n"
        "    curl -fsSk --tlsv1.3 --pinnedpubkey 'sha256//{}' {}/join.sh | sh -s -- '{}'\n",
        pin, base_of(link), link);
  }
  if (!options.qr && context.style.width == 0) return out;
  const auto code = terminal_qr(link);
  if (!code) return refused(code.error());
  return out + "\n" + *code;
}

Outcome<std::string> create(Context& context, const CreateOptions& options) {
  if (options.qr && context.json) return usage("--qr", "it cannot be printed with --json");
  Json token = {{"name", options.name},
                {"groups", options.groups},
                {"description", options.description},
                {"ttl_seconds", seconds_of(options.ttl).value_or(0)},
                {"uses", options.uses},
                {"days", options.days}};
  if (!options.tunnel.empty()) token["tunnel"] = options.tunnel;
  const auto handout = context.ask("CreateToken", "a{sv}", Json::array({token}));
  if (!handout) return std::unexpected(handout.error());
  if (context.json) return json_text(*handout);
  if (text(*handout, "pin").empty()) {
    context.warn("the enrolment server has not shown itself yet: start it (systemctl start gatewayd-enroll.socket)");
  }
  return invitation(context, options, *handout);
}

Cell state_of(const Json& token, UnixSeconds now) {
  if (time_of(token, "revoked_at") != 0) return {"revoked", Tone::bad};
  if (number(token, "used") >= number(token, "uses")) return {"used", Tone::faint};
  if (time_of(token, "expires") <= now) return {"ended", Tone::faint};
  return {"holds", Tone::good};
}

Outcome<std::string> show(Context& context) {
  const auto tokens = context.ask("ListTokens");
  if (!tokens) return std::unexpected(tokens.error());
  if (context.json) return json_text(*tokens);
  if (tokens->empty()) return "There are no invitations. 'gwctl token create' makes one.\n";
  Table table({{"TOKEN", true},
               {"STATE"},
               {"USED"},
               {"ENDS"},
               {"NAME"},
               {"GROUPS", false, true},
               {"CLIENTS", false, true},
               {"BY"}});
  for (const Json& token : *tokens) {
    table.add({std::to_string(number(token, "id")), state_of(token, context.now()),
               fmt::format("{} of {}", number(token, "used"), number(token, "uses")),
               until(context.now(), time_of(token, "expires")), or_dash(text(token, "name")),
               or_dash(joined(token, "groups")), or_dash(joined(token, "clients")), text(token, "who")});
  }
  return table.render(context.style);
}

Outcome<std::string> revoke(Context& context, const RevokeOptions& options) {
  if (const auto done = context.ask("RevokeToken", "t", Json::array({options.id})); !done)
    return std::unexpected(done.error());
  if (context.json) return json_text({{"revoked", options.id}});
  return fmt::format("Token {} holds no more. Clients that it made keep their access: gwctl client revoke ends that.\n",
                     options.id);
}

}  // namespace

void add_token_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "token", "One-time invitations: devices enrol by themselves");
  add_command<CreateOptions>(*folder, "create", "Make an invitation and show its link", action, declare_create, create);
  add_command(*folder, "list", "Invitations, and what became of them", action, show);
  add_command<RevokeOptions>(
      *folder, "revoke", "An invitation holds no more", action,
      [](CLI::App& command, RevokeOptions& options) {
        command.add_option("TOKEN", options.id, "Its number in gwctl token list")->required();
      },
      revoke);
}

}  // namespace gw::ctl
