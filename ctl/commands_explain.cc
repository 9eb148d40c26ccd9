// SPDX-License-Identifier: Apache-2.0
#include "ctl/arguments.h"
#include "ctl/facts.h"
#include "ctl/fields.h"

namespace gw::ctl {
namespace {

struct ExplainOptions {
  std::string from, to, service;
};

Outcome<std::string> explain(Context& context, const ExplainOptions& options) {
  const auto answer = context.ask("Explain", "sss", Json::array({options.from, options.to, options.service}));
  if (!answer) return std::unexpected(answer.error());
  if (context.json) return json_text(*answer);
  const std::string action = text(*answer, "action");
  const std::string rule = text(*answer, "rule");
  const std::string place = text(*answer, "written_at");
  Facts facts;
  facts.add("verdict", action, action == "allow" ? Tone::good : Tone::bad);
  facts.add("rule", rule.empty() ? "none matches: what no rule matches is denied"
                                 : rule + (place.empty() ? "" : " (" + place + ")"));
  facts.add("why", text(*answer, "reason"));
  facts.add("from", text(*answer, "source"));
  facts.add("to", text(*answer, "destination"));
  facts.add("service", text(*answer, "service"));
  if (flag(*answer, "nat")) facts.add("nat", "yes: it leaves with the gateway's address");
  if (!flag(*answer, "kernel_agrees")) {
    facts.add("kernel", "the loaded program says otherwise: see 'gwctl status' for drift or an apply that is due",
              Tone::bad);
  }
  return facts.render(context.style);
}

}  // namespace

void add_explain_command(CLI::App& app, Action& action) {
  add_command<ExplainOptions>(
      app, "explain", "What would happen to a connection, and which rule says so", action,
      [](CLI::App& command, ExplainOptions& options) {
        command.add_option("FROM", options.from, "A client, an address or a zone selector")->required();
        command.add_option("TO", options.to, "A client, an address or a zone selector")->required();
        command.add_option("SERVICE", options.service, "tcp/443, icmp, ssh, …")->required();
      },
      explain);
}

}  // namespace gw::ctl
