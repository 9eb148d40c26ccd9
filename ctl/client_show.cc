// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "ctl/client_commands.h"
#include "ctl/facts.h"
#include "ctl/fields.h"
#include "ctl/format.h"

namespace gw::ctl {
namespace {

struct ShowOptions {
  std::string name;
};

/// The one word that matters about a client. What takes access away comes first.
Cell state_of(const Json& client, UnixSeconds now) {
  if (time_of(client, "revoked_at") != 0) return {"revoked", Tone::bad};
  if (flag(client, "disabled")) return {"disabled", Tone::bad};
  if (time_of(client, "not_after") < now) return {"expired", Tone::bad};
  return flag(client, "online") ? Cell("online", Tone::good) : Cell("offline");
}

Cell end_of(const Json& client, UnixSeconds now) {
  constexpr int64_t kSoon = int64_t{30} * 86400;
  const int64_t not_after = time_of(client, "not_after");
  return {until(now, not_after), not_after - now < kSoon ? Tone::warn : Tone::plain};
}

bool is_through_tls(const Json& client) { return text(client, "transport") == "tls"; }

/// How its packets come.
std::string way_of(const Json& client) {
  if (text(client, "endpoint").empty()) return "-";
  return is_through_tls(client) ? "TLS" : "UDP";
}

/// When the policy program last passed a packet of it.
std::string last_seen(const Json& client, UnixSeconds now) {
  return client.contains("idle_seconds") ? ago(now, now - static_cast<int64_t>(number(client, "idle_seconds")))
                                         : "never";
}

Outcome<std::string> show_list(Context& context) {
  const auto clients = context.ask("ListClients");
  if (!clients) return std::unexpected(clients.error());
  if (context.json) return json_text(*clients);
  if (clients->empty()) return "No clients. 'gwctl client add NAME --group GROUP' adds one.\n";
  const bool names =
      std::ranges::any_of(*clients, [](const Json& client) { return !text(client, "dns_name").empty(); });
  std::vector<Column> columns = {{"NAME"},
                                 {"STATE"},
                                 {"ADDRESSES", false, true},
                                 {"GROUPS", false, true},
                                 {"ENDS"},
                                 {"LAST HANDSHAKE"},
                                 {"IN", true},
                                 {"OUT", true},
                                 {"DENIED", true},
                                 {"LAST SEEN"}};
  const bool ways = std::ranges::any_of(*clients, is_through_tls);
  if (names) columns.insert(columns.begin() + 2, {"DNS NAME"});
  if (ways) columns.insert(columns.begin() + 2, {"VIA"});
  Table table(std::move(columns));
  for (const Json& client : *clients) {
    std::vector<Cell> row = {text(client, "name"),
                             state_of(client, context.now()),
                             joined(client, "addresses"),
                             or_dash(joined(client, "groups", ",")),
                             end_of(client, context.now()),
                             ago(context.now(), time_of(client, "last_handshake")),
                             bytes(number(client, "rx_bytes")),
                             bytes(number(client, "tx_bytes")),
                             fmt::format("{}", number(client, "denied")),
                             last_seen(client, context.now())};
    if (names) row.insert(row.begin() + 2, or_dash(text(client, "dns_name")));
    if (ways) row.insert(row.begin() + 2, way_of(client));
    table.add(std::move(row));
  }
  return table.render(context.style);
}

void add_certificate_facts(Facts& facts, const Json& client, UnixSeconds now) {
  const int64_t not_after = time_of(client, "not_after");
  const Cell end = end_of(client, now);
  facts.add("certificate", or_dash(text(client, "serial")));
  facts.add("ends", fmt::format("{} ({})", end.text, date(not_after)), end.tone);
  if (const int64_t revoked = time_of(client, "revoked_at"); revoked != 0) {
    facts.add("revoked", fmt::format("{} ({})", ago(now, revoked), date(revoked)), Tone::bad);
  }
}

void add_traffic_facts(Facts& facts, const Json& client, UnixSeconds now) {
  const std::string endpoint = text(client, "endpoint");
  // Its packets come from the enrolment server, which does not tell from where.
  facts.add("endpoint", or_dash(endpoint) + (is_through_tls(client) ? ", through TLS" : ""));
  facts.add("last handshake", ago(now, time_of(client, "last_handshake")));
  facts.add("through the tunnel",
            fmt::format("{} in, {} out", bytes(number(client, "rx_bytes")), bytes(number(client, "tx_bytes"))));
  facts.add("allowed", fmt::format("{}, {}, {}", plural(number(client, "flows"), "flow"),
                                   plural(number(client, "packets"), "packet"), bytes(number(client, "bytes"))));
  facts.add("denied", plural(number(client, "denied"), "packet"),
            number(client, "denied") != 0 ? Tone::warn : Tone::plain);
  facts.add("last seen", last_seen(client, now));
}

Outcome<std::string> show_one(Context& context, const ShowOptions& options) {
  const auto client = context.ask("GetClient", "s", Json::array({options.name}));
  if (!client) return std::unexpected(client.error());
  if (context.json) return json_text(*client);
  const Cell state = state_of(*client, context.now());
  Facts facts;
  facts.add("client", text(*client, "name"), Tone::heading);
  facts.add("state", state.text, state.tone);
  if (const std::string description = text(*client, "description"); !description.empty()) {
    facts.add("description", description);
  }
  facts.add("addresses", or_dash(joined(*client, "addresses")));
  if (const std::string name = text(*client, "dns_name"); !name.empty()) facts.add("DNS name", name);
  facts.add("groups", or_dash(joined(*client, "groups")));
  if (const std::string missing = joined(*client, "missing_groups"); !missing.empty()) {
    facts.add("missing groups", missing + ": not in the configuration, so they grant nothing", Tone::warn);
  }
  if (const std::string tunnel = text(*client, "tunnel"); !tunnel.empty()) facts.add("tunnel", tunnel);
  facts.add("key", or_dash(text(*client, "wireguard")));
  facts.add("device", or_dash(text(*client, "device_uuid")));
  add_certificate_facts(facts, *client, context.now());
  add_traffic_facts(facts, *client, context.now());
  if (flag(*client, "profile_outdated")) {
    facts.add("profile", "outdated: what it was made from has changed; 'gwctl client export' writes it anew",
              Tone::warn);
  }
  return facts.render(context.style);
}

}  // namespace

void add_client_show_commands(CLI::App& folder, Action& action) {
  add_command(folder, "list", "All clients", action, show_list);
  add_command<ShowOptions>(
      folder, "show", "All about one client", action,
      [](CLI::App& command, ShowOptions& options) {
        command.add_option("NAME", options.name, "The client's name")->required();
      },
      show_one);
}

}  // namespace gw::ctl
