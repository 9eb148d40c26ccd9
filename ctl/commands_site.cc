// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/edit.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "gatewayd/base/key.h"

namespace gw::ctl {
namespace {

struct SiteOptions : EditOptions {
  std::string public_key, endpoint, description;
  std::vector<std::string> prefixes;
  uint16_t keepalive = 0;
};

CLI::Validator public_key() {
  return {[](const std::string& text) {
            return PublicKey::parse(text)
                       ? ""
                       : "'" + text + "' is no WireGuard public key (the 44 characters of wg pubkey)";
          },
          "KEY"};
}

void declare(CLI::App& command, SiteOptions& options) {
  declare_edit(command, options, "site");
  command.add_option("--public-key", options.public_key, "The WireGuard public key of the other side")
      ->required()
      ->check(public_key());
  repeatable(command, "--prefix", options.prefixes, "A network behind it")->required()->check(prefix());
  command.add_option("--endpoint", options.endpoint, "Where to find it; without one it has to call")
      ->type_name("HOST:PORT");
  command.add_option("--keepalive", options.keepalive, "Seconds between packets that keep a NAT open; 25 behind one")
      ->type_name("SECONDS");
  command.add_option("--description", options.description, "A word for people")->type_name("TEXT");
}

/// What has to be typed on the other side, if that is a gatewayd too.
std::string other_side(Context& context) {
  const auto status = context.ask("GetStatus");
  const auto subnets = context.ask("ListSubnets");
  if (!status || !subnets || text(*status, "public_key").empty()) return "";
  std::string out = fmt::format("The other side needs: gwctl site add {} --public-key {}", text(*status, "gateway"),
                                text(*status, "public_key"));
  if (const std::string endpoint = text(*status, "endpoint"); !endpoint.empty()) out += " --endpoint " + endpoint;
  for (const Json& subnet : *subnets)
    for (const std::string& block : list(subnet, "prefixes")) out += " --prefix " + block;
  return out + "\n";
}

Outcome<std::string> add(Context& context, const SiteOptions& options) {
  Json site = {{"public_key", options.public_key}, {"prefixes", options.prefixes}};
  if (!options.endpoint.empty()) site["endpoint"] = options.endpoint;
  if (options.keepalive != 0) site["keepalive"] = options.keepalive;
  if (!options.description.empty()) site["description"] = options.description;
  auto done =
      edit(context, options, "AddSite", "sa{sv}", Json::array({options.name, site}), "Site " + options.name + " added");
  if (done && !context.json) *done += other_side(context);
  return done;
}

Outcome<std::string> remove(Context& context, const EditOptions& options) {
  return edit(context, options, "RemoveSite", "s", Json::array({options.name}), "Site " + options.name + " removed");
}

Outcome<std::string> show(Context& context) {
  const auto sites = context.ask("ListSites");
  if (!sites) return std::unexpected(sites.error());
  if (context.json) return json_text(*sites);
  if (sites->empty()) return "No sites. 'gwctl site add NAME --public-key KEY --prefix BLOCK' adds one.\n";
  Table table({{"NAME"},
               {"PREFIXES"},
               {"ENDPOINT"},
               {"HANDSHAKE"},
               {"RECEIVED", true},
               {"SENT", true},
               {"DESCRIPTION", false, true},
               {"WRITTEN AT", false, true}});
  for (const Json& site : *sites) {
    const std::string now = text(site, "endpoint_now");
    const UnixSeconds last = time_of(site, "last_handshake");
    table.add({text(site, "name"),
               joined(site, "prefixes"),
               or_dash(now.empty() ? text(site, "endpoint") : now),
               {last == 0 ? "never" : ago(context.now(), last), flag(site, "online") ? Tone::good : Tone::faint},
               bytes(number(site, "rx_bytes")),
               bytes(number(site, "tx_bytes")),
               or_dash(text(site, "description")),
               {or_dash(text(site, "origin")), Tone::faint}});
  }
  return table.render(context.style);
}

}  // namespace

void add_site_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "site", "Other networks, each behind a WireGuard peer");
  add_command(*folder, "list", "All sites, and whether they are there", action, show);
  add_command<SiteOptions>(*folder, "add", "Write a site into the configuration", action, declare, add);
  add_command<EditOptions>(
      *folder, "remove", "Take a site out of the configuration", action,
      [](CLI::App& command, EditOptions& options) { declare_edit(command, options, "site"); }, remove);
}

}  // namespace gw::ctl
