// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/edit.h"
#include "ctl/fields.h"

namespace gw::ctl {
namespace {

constexpr uint16_t kLastVlan = 4094;

struct SubnetOptions : EditOptions {
  std::vector<std::string> prefixes, addresses, via, hosts;
  std::string interface, description;
  uint16_t vlan = 0;
};

void declare(CLI::App& command, SubnetOptions& options) {
  declare_edit(command, options, "subnet");
  repeatable(command, "--prefix", options.prefixes, "An address block of it")->required()->check(prefix());
  command.add_option("--interface", options.interface, "The device its packets arrive on")->required();
  command.add_option("--vlan", options.vlan, "The VLAN of it on that device")
      ->check(CLI::Range(uint16_t{1}, kLastVlan))
      ->type_name("VID");
  repeatable(command, "--address", options.addresses, "The gateway's own address in it")->check(address());
  repeatable(command, "--via", options.via, "The next hop, when it is routed and not attached")->check(address());
  repeatable(command, "--host", options.hosts, "A machine in it that has a name")->type_name("NAME=ADDRESS");
  command.add_option("--description", options.description, "A word for people")->type_name("TEXT");
}

Outcome<std::string> add(Context& context, const SubnetOptions& options) {
  Json subnet = {{"prefixes", options.prefixes}, {"interface", options.interface}};
  if (options.vlan != 0) subnet["vlan"] = options.vlan;
  if (!options.addresses.empty()) subnet["address"] = options.addresses;
  if (!options.via.empty()) subnet["via"] = options.via;
  if (!options.hosts.empty()) subnet["hosts"] = options.hosts;
  if (!options.description.empty()) subnet["description"] = options.description;
  return edit(context, options, "AddSubnet", "sa{sv}", Json::array({options.name, subnet}),
              "Subnet " + options.name + " added");
}

Outcome<std::string> remove(Context& context, const EditOptions& options) {
  return edit(context, options, "RemoveSubnet", "s", Json::array({options.name}),
              "Subnet " + options.name + " removed");
}

Outcome<std::string> show(Context& context) {
  const auto subnets = context.ask("ListSubnets");
  if (!subnets) return std::unexpected(subnets.error());
  if (context.json) return json_text(*subnets);
  if (subnets->empty()) return "No subnets. 'gwctl subnet add NAME --prefix BLOCK --interface DEVICE' adds one.\n";
  Table table({{"NAME"},
               {"PREFIXES"},
               {"INTERFACE"},
               {"VLAN", true},
               {"ADDRESS"},
               {"VIA"},
               {"HOSTS", false, true},
               {"DESCRIPTION", false, true},
               {"WRITTEN AT", false, true}});
  for (const Json& subnet : *subnets) {
    const uint64_t vlan = number(subnet, "vlan");
    table.add({text(subnet, "name"),
               joined(subnet, "prefixes"),
               text(subnet, "interface"),
               vlan == 0 ? "-" : fmt::format("{}", vlan),
               or_dash(joined(subnet, "address")),
               or_dash(joined(subnet, "via")),
               or_dash(joined(subnet, "hosts")),
               or_dash(text(subnet, "description")),
               {or_dash(text(subnet, "origin")), Tone::faint}});
  }
  return table.render(context.style);
}

}  // namespace

void add_subnet_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "subnet", "The parts of the private network");
  add_command(*folder, "list", "All subnets", action, show);
  add_command<SubnetOptions>(*folder, "add", "Write a subnet into the configuration", action, declare, add);
  add_command<EditOptions>(
      *folder, "remove", "Take a subnet out of the configuration", action,
      [](CLI::App& command, EditOptions& options) { declare_edit(command, options, "subnet"); }, remove);
}

}  // namespace gw::ctl
