// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/client_commands.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/issue.h"
#include "gatewayd/base/file.h"

namespace gw::ctl {
namespace {

struct AddOptions : ProfileOptions {
  std::vector<std::string> groups;
  uint32_t days = kDefaultDays;
  std::string tunnel, description;
};

struct RekeyOptions : ProfileOptions {
  uint32_t days = kDefaultDays;
};

struct ExportOptions : ProfileOptions {
  std::string key;
};

std::string headline(const Context& context, const std::string& what, const Profile& profile) {
  return fmt::format("{}: {}; the certificate ends {} ({})\n", what, fmt::join(profile.addresses, ", "),
                     until(context.now(), profile.not_after), date(profile.not_after));
}

/// A call that issues. When the connection breaks in the middle, nobody here knows whether it was done.
Outcome<Json> issue(Context& context, const std::string& name, const std::string& method, const std::string& signature,
                    const Json& arguments) {
  auto facts = context.ask(method, signature, arguments);
  if (!facts && facts.error().maybe_done) {
    facts.error().text += fmt::format(
        "\nIt may have been done all the same: 'gwctl client show {0}' tells. If so, its key is lost: 'gwctl client "
        "rekey "
        "{0}' makes another.",
        name);
  }
  return facts;
}

/// From here on the gateway has issued: a failure has to say how to go on.
Outcome<std::string> hand_over(const Context& context, const ProfileOptions& options, const Json& facts,
                               const DeviceKeys& keys, const std::string& what) {
  Profile profile = profile_of(facts);
  profile.key = keys.wireguard.secret;
  auto out = deliver(context, options, facts, profile, &keys, headline(context, what, profile));
  if (!out) {
    out.error().text += fmt::format(
        "\nThe gateway has issued the certificate, but the profile is lost: 'gwctl client rekey {0}' makes another, "
        "'gwctl client remove {0}' takes the client away.",
        options.name);
  }
  return out;
}

Outcome<std::string> add(Context& context, const AddOptions& options) {
  if (auto good = check_outputs(context, options); !good) return std::unexpected(good.error());
  const auto keys = make_device_keys(options.name);
  if (!keys) return std::unexpected(keys.error());
  Json client = {{"name", options.name},
                 {"request_pem", keys->request_pem},
                 {"groups", options.groups},
                 {"description", options.description},
                 {"days", options.days}};
  if (!options.tunnel.empty()) client["tunnel"] = options.tunnel;
  const auto facts = issue(context, options.name, "AddClient", "a{sv}", Json::array({client}));
  if (!facts) return std::unexpected(facts.error());
  if (options.groups.empty())
    context.warn("the client is in no group: only rules for vpn or client:" + options.name + " reach it");
  return hand_over(context, options, *facts, *keys, "Client " + options.name + " added");
}

Outcome<std::string> rekey(Context& context, const RekeyOptions& options) {
  if (auto good = check_outputs(context, options); !good) return std::unexpected(good.error());
  const auto keys = make_device_keys(options.name);
  if (!keys) return std::unexpected(keys.error());
  const auto facts =
      issue(context, options.name, "RekeyClient", "ssu", Json::array({options.name, keys->request_pem, options.days}));
  if (!facts) return std::unexpected(facts.error());
  return hand_over(context, options, *facts, *keys,
                   "Client " + options.name + " has a new key, and the old one is out");
}

/// The WireGuard key out of a file of `wg genkey` or out of a profile.
Outcome<SecretKey> read_key(const std::string& path) {
  auto content = read_file(path);
  if (!content) return usage("--key", content.error().message());
  constexpr std::string_view kLine = "PrivateKey";
  size_t at = content->find(kLine);
  at = at == std::string::npos ? 0 : content->find('=', at) + 1;
  const size_t start = content->find_first_not_of(" \t\r\n", at);
  const size_t end = content->find_first_of(" \t\r\n", start);
  auto key = start == std::string::npos ? std::nullopt
                                        : SecretKey::parse(std::string_view(*content).substr(start, end - start));
  pki::wipe(*content);
  if (!key)
    return usage("--key", "'" + path + "' holds no WireGuard private key, as wg genkey prints one or a profile has it");
  return std::move(*key);
}

Outcome<std::string> export_profile(Context& context, const ExportOptions& options) {
  if (auto good = check_outputs(context, options); !good) return std::unexpected(good.error());
  std::optional<SecretKey> key;
  if (!options.key.empty()) {
    auto read = read_key(options.key);
    if (!read) return std::unexpected(read.error());
    key = std::move(*read);
    const auto client = context.ask("GetClient", "s", Json::array({options.name}));
    if (!client) return std::unexpected(client.error());
    if (text(*client, "wireguard") != pki::public_of(*key).str()) {
      return refused("the key in '" + options.key + "' is not that of client " + options.name);
    }
  }
  const auto facts = context.ask("ExportClient", "s", Json::array({options.name}));
  if (!facts) return std::unexpected(facts.error());
  Profile profile = profile_of(*facts);
  profile.key = key;
  return deliver(context, options, *facts, profile, nullptr, headline(context, "Client " + options.name, profile));
}

void declare_days(CLI::App& command, uint32_t& days) {
  command.add_option("--days", days, "How long the certificate is valid")
      ->check(CLI::Range(1U, kMostDays))
      ->capture_default_str();
}

}  // namespace

void add_client_issue_commands(CLI::App& folder, Action& action) {
  add_command<AddOptions>(
      folder, "add", "Make keys here, let the gateway issue the certificate, write the profile", action,
      [](CLI::App& command, AddOptions& options) {
        declare_profile(command, options, true);
        repeatable(command, "--group", options.groups, "A group it is in");
        declare_days(command, options.days);
        command
            .add_option("--tunnel", options.tunnel,
                        "What it sends through the tunnel (the group's or gateway's unless given)")
            ->check(tunnel());
        command.add_option("--description", options.description, "A word for people")->type_name("TEXT");
      },
      add);
  add_command<RekeyOptions>(
      folder, "rekey", "Make new keys; the old ones lose access at once", action,
      [](CLI::App& command, RekeyOptions& options) {
        declare_profile(command, options, true);
        declare_days(command, options.days);
      },
      rekey);
  add_command<ExportOptions>(
      folder, "export", "Write the profile again, with the key if you have it", action,
      [](CLI::App& command, ExportOptions& options) {
        declare_profile(command, options, false);
        command.add_option("--key", options.key, "A file with the client's private key, or its old profile")
            ->type_name("FILE");
      },
      export_profile);
}

}  // namespace gw::ctl
