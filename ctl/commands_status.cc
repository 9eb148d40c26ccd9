// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <bit>

#include "ctl/arguments.h"
#include "ctl/facts.h"
#include "ctl/fields.h"
#include "ctl/format.h"

namespace gw::ctl {
namespace {

void add_apply_facts(Facts& facts, const Json& status, UnixSeconds now) {
  const int64_t deadline = time_of(status, "confirm_deadline");
  if (number(status, "applied_sequence") == 0) {
    facts.add("applied", "nothing yet: run 'gwctl apply'", Tone::warn);
  } else if (deadline != 0) {
    facts.add("applied",
              fmt::format("#{}, {}, not confirmed: goes back {} unless you run 'gwctl confirm'",
                          number(status, "applied_sequence"), ago(now, time_of(status, "applied_at")),
                          deadline > now ? until(now, deadline) : "now"),
              Tone::warn);
  } else {
    facts.add("applied",
              fmt::format("#{}, {}{}", number(status, "applied_sequence"), ago(now, time_of(status, "applied_at")),
                          flag(status, "confirmed") ? ", confirmed" : ", not confirmed"));
  }
  if (flag(status, "files_differ")) {
    facts.add("files", "differ from what is applied: run 'gwctl plan'", Tone::warn);
  } else {
    facts.add("files", "as applied");
  }
}

void add_drift_facts(Facts& facts, const Json& status) {
  const auto drift = list(status, "drift");
  const std::string repairs = plural(number(status, "repairs"), "repair") + " since start";
  if (drift.empty()) {
    facts.add("drift", "none, " + repairs, Tone::good);
  } else {
    facts.add("drift", plural(drift.size(), "difference") + " that could not be mended, " + repairs, Tone::bad);
    for (const std::string& difference : drift) facts.add("", difference, Tone::bad);
  }
  if (const std::string error = text(status, "last_error"); !error.empty()) facts.add("error", error, Tone::bad);
  for (const std::string& why : list(status, "ill")) facts.add("ill", why, Tone::bad);
}

std::string overview(const Json& status, UnixSeconds now, const Style& style) {
  Facts facts;
  const std::string wireguard = text(status, "wireguard");
  facts.add("gateway", fmt::format("{} (gatewayd {})", text(status, "gateway"), text(status, "version")),
            Tone::heading);
  facts.add("wireguard", wireguard, wireguard.starts_with("kernel") ? Tone::plain : Tone::warn);
  facts.add("endpoint",
            fmt::format("{}, listening on port {}", or_dash(text(status, "endpoint")), number(status, "listen_port")));
  facts.add("public key", or_dash(text(status, "public_key")));
  add_apply_facts(facts, status, now);
  add_drift_facts(facts, status);
  facts.add("policy", fmt::format("generation {}, {}", number(status, "policy_generation"),
                                  plural(number(status, "rules"), "rule")));
  facts.add("fast path", or_dash(text(status, "fast_path")));
  facts.add("peers", fmt::format("{} of {} online ({})", number(status, "peers_online"), number(status, "peers"),
                                 plural(number(status, "clients"), "client")));
  return facts.render(style);
}

Tone tone_of_state(const std::string& state) {
  if (state == "up") return Tone::good;
  return state == "missing" ? Tone::bad : Tone::warn;
}

Table interfaces(const Json& status) {
  Table table({{"INTERFACE"}, {"ROLE"}, {"STATE"}, {"ADDRESSES", false, true}, {"PROGRAMS", false, true}});
  for (const Json& one : items(status, "interfaces")) {
    const std::string state = text(one, "state");
    table.add({text(one, "name"),
               or_dash(text(one, "role")),
               {state, tone_of_state(state)},
               or_dash(joined(one, "addresses")),
               or_dash(joined(one, "programs"))});
  }
  return table;
}

/// An IPv6 pool has more addresses than anybody counts.
std::string pool_size(uint64_t size) {
  constexpr uint64_t kCountable = 1'000'000'000;
  return size < kCountable ? fmt::format("{}", size) : fmt::format("2^{}", std::bit_width(size));
}

Table pools(const Json& status) {
  Table table({{"POOL"}, {"TAKEN", true}, {"OF", true}});
  for (const Json& one : items(status, "pools")) {
    const uint64_t taken = number(one, "allocated");
    const uint64_t size = number(one, "size");
    const bool nearly_full = taken >= size - size / 10;
    table.add(
        {text(one, "prefix"), {fmt::format("{}", taken), nearly_full ? Tone::warn : Tone::plain}, pool_size(size)});
  }
  return table;
}

Table drops(const Json& status) {
  Table table({{"DROPPED", true}, {"BECAUSE"}});
  const Json reasons = items(status, "drops");
  for (const auto& [reason, packets] : reasons.items()) {
    if (packets.is_number_unsigned() && packets != 0U) table.add({packets.dump(), reason});
  }
  return table;
}

struct StatusOptions {
  bool health = false;
};

void declare(CLI::App& command, StatusOptions& options) {
  command.add_flag("--health", options.health, "Only whether the gateway does its work: exit code 0, or 1 and why not");
}

/// A gatewayd that does not say that it is healthy is not.
Outcome<std::string> health(const Context& context, const Json& status) {
  if (!flag(status, "healthy")) {
    std::string why;
    for (const std::string& line : list(status, "ill")) why += "\n  " + printable(line);
    return refused("the gateway is not healthy" + (why.empty() ? "" : ":" + why));
  }
  return context.json ? json_text({{"healthy", true}}) : "The gateway is healthy.\n";
}

Outcome<std::string> show(Context& context, const StatusOptions& options) {
  const auto status = context.ask("GetStatus");
  if (!status) return std::unexpected(status.error());
  if (options.health) return health(context, *status);
  if (context.json) return json_text(*status);
  std::string out = overview(*status, context.now(), context.style);
  for (const Table& table : {interfaces(*status), pools(*status), drops(*status)}) {
    if (table.empty()) continue;
    const auto lines = table.render(context.style);
    if (!lines) return lines;
    out += "\n" + *lines;
  }
  const auto warnings = list(*status, "warnings");
  if (!warnings.empty()) out += "\n";
  for (const std::string& warning : warnings) {
    out += context.style.paint(Tone::warn, "warning: " + printable(warning)) + "\n";
  }
  return out;
}

}  // namespace

void add_status_command(CLI::App& app, Action& action) {
  add_command<StatusOptions>(app, "status", "The gateway at a glance", action, declare, show);
}

}  // namespace gw::ctl
