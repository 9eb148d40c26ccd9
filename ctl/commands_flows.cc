// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/arguments.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/place.h"

namespace gw::ctl {
namespace {

struct FlowsOptions {
  std::string client, from, to, service, rule;
  bool kill = false, all = false;
};

void declare(CLI::App& command, FlowsOptions& options) {
  command.add_option("--client", options.client, "Of this client, on either side")->type_name("CLIENT");
  command.add_option("--from", options.from, "Opened from here: an address, a prefix, a client, subnet:NAME, …");
  command.add_option("--to", options.to, "Opened to here: an address, a prefix, a client, subnet:NAME, …");
  command.add_option("--service", options.service, "tcp, tcp/22, ssh, icmp, …");
  command.add_option("--rule", options.rule, "Allowed by this rule")->type_name("RULE");
  auto* kill = command.add_flag("--kill", options.kill, "End them: their next packets are judged as first ones");
  command.add_flag("--all", options.all, "With --kill: all there are")->needs(kill);
}

Json filter_of(const FlowsOptions& options) {
  Json out = Json::object();
  const std::pair<const char*, const std::string&> members[] = {{"client", options.client},
                                                                {"from", options.from},
                                                                {"to", options.to},
                                                                {"service", options.service},
                                                                {"rule", options.rule}};
  for (const auto& [key, value] : members) {
    if (!value.empty()) out[key] = value;
  }
  if (options.all) out["all"] = true;
  return out;
}

/// Asks for page after page; `take` gets what stands in front of `next`.
Outcome<void> each_page(Context& context, const char* method, const Json& filter,
                        const std::function<void(Json)>& take) {
  uint64_t from = 0;
  do {
    auto page = context.ask(method, "a{sv}t", Json::array({filter, from}));
    if (!page) return std::unexpected(page.error());
    take(std::move(page->at(0)));
    from = page->at(1).get<uint64_t>();
  } while (from != 0);
  return {};
}

Tone tone_of(const std::string& state) {
  if (state == "established") return Tone::good;
  return state == "closing" ? Tone::faint : Tone::plain;
}

std::string parties(const Json& flow) {
  const std::string from = text(flow, "client");
  const std::string to = text(flow, "to_client");
  if (to.empty()) return or_dash(from);
  return from.empty() ? "-> " + to : from + " -> " + to;
}

std::string rule_of(const Json& flow) {
  return or_dash(text(flow, "rule")) + (flag(flow, "current") ? "" : " (to be judged again)");
}

Outcome<std::string> show(Context& context, const Json& flows) {
  if (context.json) return json_text(flows);
  if (flows.empty()) return "No flows.\n";
  Table table(
      {{"PROTO"}, {"FROM"}, {"TO"}, {"CLIENT"}, {"RULE", false, true}, {"STATE"}, {"IDLE", true}, {"ACCESS ENDS"}});
  for (const Json& flow : flows) {
    const std::string state = text(flow, "state");
    table.add({protocol_of(flow),
               source_of(flow),
               destination_of(flow),
               parties(flow),
               rule_of(flow),
               {state, tone_of(state)},
               duration(static_cast<int64_t>(number(flow, "idle_seconds"))),
               flow.contains("access_ends") ? until(context.now(), time_of(flow, "access_ends")) : "-"});
  }
  return table.render(context.style);
}

Outcome<std::string> run_flows(Context& context, const FlowsOptions& options) {
  const Json filter = filter_of(options);
  if (options.kill) {
    if (filter.empty()) return usage("--kill", "say which: --client, --from, --to, --service or --rule; or --all");
    uint64_t ended = 0;
    const auto done =
        each_page(context, "EndFlows", filter, [&](const Json& count) { ended += count.get<uint64_t>(); });
    if (!done) return std::unexpected(done.error());
    if (context.json) return json_text({{"ended", ended}});
    return fmt::format("{} ended. What a rule still allows goes on with its next packet.\n", plural(ended, "flow"));
  }
  Json flows = Json::array();
  const auto done = each_page(context, "ListFlows", filter, [&](Json page) {
    for (Json& flow : page) flows.push_back(std::move(flow));
  });
  if (!done) return std::unexpected(done.error());
  return show(context, flows);
}

}  // namespace

void add_flows_command(CLI::App& app, Action& action) {
  add_command<FlowsOptions>(app, "flows", "Connections that are open through the gateway; --kill ends them", action,
                            declare, run_flows);
}

}  // namespace gw::ctl
