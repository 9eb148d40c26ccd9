// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/edit.h"
#include "ctl/fields.h"
#include "ctl/format.h"

namespace gw::ctl {
namespace {

struct RuleOptions : EditOptions {
  std::string action, before, after;
  std::vector<std::string> from, to, services;
  bool log = false;
};

void declare(CLI::App& command, RuleOptions& options) {
  declare_edit(command, options, "rule");
  command.add_option("--action", options.action, "What happens to what it matches")
      ->required()
      ->check(CLI::IsMember({"allow", "deny", "reject"}));
  repeatable(command, "--from", options.from, "Who opens: group:NAME, client:NAME, vpn, subnet:NAME, site:NAME, any, …")
      ->required();
  repeatable(command, "--to", options.to, "To where: subnet:NAME, gateway, internet, vpn, a prefix, …")->required();
  repeatable(command, "--service", options.services, "tcp/443, udp/5000-5010, icmp, ssh, … (any unless given)");
  command.add_flag("--log", options.log, "Report what it matches");
  auto* before = command.add_option("--before", options.before, "Stands in front of this rule")->type_name("RULE");
  command.add_option("--after", options.after, "Stands behind this rule")->type_name("RULE")->excludes(before);
}

Outcome<std::string> add(Context& context, const RuleOptions& options) {
  const Json rule = {{"name", options.name},
                     {"action", options.action},
                     {"from", options.from},
                     {"to", options.to},
                     {"services", options.services.empty() ? std::vector<std::string>{"any"} : options.services},
                     {"log", options.log}};
  Json place = Json::object();
  if (!options.before.empty()) place["before"] = options.before;
  if (!options.after.empty()) place["after"] = options.after;
  return edit(context, options, "AddRule", "a{sv}a{sv}", Json::array({rule, place}), "Rule " + options.name + " added");
}

Outcome<std::string> remove(Context& context, const EditOptions& options) {
  return edit(context, options, "RemoveRule", "s", Json::array({options.name}), "Rule " + options.name + " removed");
}

Cell action_cell(const Json& rule) {
  const std::string action = text(rule, "action");
  return {action + (flag(rule, "log") ? " log" : ""), action == "allow" ? Tone::good : Tone::bad};
}

/// Only what is allowed becomes a flow.
std::string flows_of(const Json& rule) {
  return text(rule, "action") == "allow" ? fmt::format("{}", number(rule, "hits")) : "-";
}

std::string last_seen(const Json& rule, UnixSeconds now) {
  return rule.contains("idle_seconds") ? ago(now, now - static_cast<int64_t>(number(rule, "idle_seconds"))) : "never";
}

std::string written_at(const Json& rule) { return flag(rule, "built_in") ? "built in" : or_dash(text(rule, "origin")); }

Outcome<std::string> show(Context& context) {
  const auto rules = context.ask("ListRules");
  if (!rules) return std::unexpected(rules.error());
  if (context.json) return json_text(*rules);
  Table table({{"#", true},
               {"NAME"},
               {"ACTION"},
               {"FROM", false, true},
               {"TO", false, true},
               {"SERVICES", false, true},
               {"FLOWS", true},
               {"PACKETS", true},
               {"BYTES", true},
               {"LAST SEEN"},
               {"WRITTEN AT", false, true}});
  size_t order = 0;
  for (const Json& rule : *rules) {
    table.add({fmt::format("{}", ++order),
               text(rule, "name"),
               action_cell(rule),
               joined(rule, "from", ","),
               joined(rule, "to", ","),
               joined(rule, "service_names", ","),
               flows_of(rule),
               fmt::format("{}", number(rule, "packets")),
               bytes(number(rule, "bytes")),
               last_seen(rule, context.now()),
               {written_at(rule), Tone::faint}});
  }
  auto lines = table.render(context.style);
  if (lines) *lines += context.style.paint(Tone::faint, "What no rule matches is denied.") + "\n";
  return lines;
}

}  // namespace

void add_rule_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "rule", "Who may reach what; the first rule that matches decides");
  add_command(*folder, "list", "All rules in the order in which they are tried, with what they met", action, show);
  add_command<RuleOptions>(*folder, "add", "Write a rule into the configuration", action, declare, add);
  add_command<EditOptions>(
      *folder, "remove", "Take a rule out of the configuration", action,
      [](CLI::App& command, EditOptions& options) { declare_edit(command, options, "rule"); }, remove);
}

}  // namespace gw::ctl
