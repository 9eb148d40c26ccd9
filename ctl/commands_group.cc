// SPDX-License-Identifier: Apache-2.0
#include "ctl/edit.h"
#include "ctl/fields.h"

namespace gw::ctl {
namespace {

struct GroupOptions : EditOptions {
  bool interconnect = false;
  std::string description, tunnel;
};

void declare(CLI::App& command, GroupOptions& options) {
  declare_edit(command, options, "group");
  command.add_flag("--interconnect", options.interconnect, "Let its members reach each other");
  command.add_option("--description", options.description, "A word for people")->type_name("TEXT");
  command.add_option("--tunnel", options.tunnel, "What its members send through the tunnel")->check(tunnel());
}

Outcome<std::string> add(Context& context, const GroupOptions& options) {
  Json group = {{"interconnect", options.interconnect}};
  if (!options.description.empty()) group["description"] = options.description;
  if (!options.tunnel.empty()) group["tunnel"] = options.tunnel;
  return edit(context, options, "AddGroup", "sa{sv}", Json::array({options.name, group}),
              "Group " + options.name + " added");
}

Outcome<std::string> remove(Context& context, const EditOptions& options) {
  return edit(context, options, "RemoveGroup", "s", Json::array({options.name}), "Group " + options.name + " removed");
}

Outcome<std::string> show(Context& context) {
  const auto groups = context.ask("ListGroups");
  if (!groups) return std::unexpected(groups.error());
  if (context.json) return json_text(*groups);
  if (groups->empty()) return "No groups. 'gwctl group add NAME' adds one.\n";
  Table table({{"NAME"}, {"INTERCONNECT"}, {"TUNNEL"}, {"DESCRIPTION", false, true}, {"WRITTEN AT", false, true}});
  for (const Json& group : *groups) {
    table.add({text(group, "name"),
               flag(group, "interconnect") ? "yes" : "no",
               or_dash(text(group, "tunnel")),
               or_dash(text(group, "description")),
               {or_dash(text(group, "origin")), Tone::faint}});
  }
  return table.render(context.style);
}

}  // namespace

void add_group_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "group", "Sets of clients that rules speak of");
  add_command(*folder, "list", "All groups", action, show);
  add_command<GroupOptions>(*folder, "add", "Write a group into the configuration", action, declare, add);
  add_command<EditOptions>(
      *folder, "remove", "Take a group out of the configuration", action,
      [](CLI::App& command, EditOptions& options) { declare_edit(command, options, "group"); }, remove);
}

}  // namespace gw::ctl
