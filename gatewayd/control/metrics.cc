// SPDX-License-Identifier: Apache-2.0
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "gatewayd/control/gateway.h"

/// What the gateway counts, in the text format of Prometheus. The library writes it (escaping, numbers); its registry
/// is not used, since the numbers are the kernel's and are read when they are asked for.
namespace gw::control {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr UnixSeconds kDay = 86400;

/// Families in the making.
class Families {
 public:
  MetricFamily& begin(const char* name, const char* help, MetricType type) {
    return all_.emplace_back(MetricFamily{std::string("gatewayd_") + name, help, type, {}});
  }
  void gauge(const char* name, const char* help, double value) { add(begin(name, help, MetricType::Gauge), value); }
  void counter(const char* name, const char* help, double value) { add(begin(name, help, MetricType::Counter), value); }
  static void add(MetricFamily& family, double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter) metric.counter.value = value;
    if (family.type == MetricType::Gauge) metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, all_);
    return out.str();
  }

 private:
  std::vector<MetricFamily> all_;
};

// How many there are is bounded, unlike clients: so the age of handshakes is told as a distribution.
void add_peers(Families& out, const std::map<PublicKey, apply::PeerState>& peers, UnixSeconds now) {
  constexpr std::array<std::pair<const char*, UnixSeconds>, 4> kAges = {
      {{"180", 180}, {"3600", 3600}, {"86400", kDay}, {"604800", 7 * kDay}}};
  const auto within = [&](UnixSeconds age) {
    return static_cast<double>(std::ranges::count_if(peers, [&](const auto& peer) {
      return peer.second.last_handshake != 0 && now - peer.second.last_handshake < age;
    }));
  };
  out.gauge("peers", "WireGuard peers in the kernel", static_cast<double>(peers.size()));
  out.gauge("peers_online", "Peers whose last handshake is less than 180 seconds old", within(kAges[0].second));
  auto& ages = out.begin("peers_handshake_within", "Peers whose last handshake is less than so many seconds old",
                         MetricType::Gauge);
  for (const auto& [label, age] : kAges) Families::add(ages, within(age), {{"seconds", label}});
  int64_t newest = 0;
  for (const auto& [key, peer] : peers) newest = std::max(newest, peer.last_handshake);
  out.gauge("last_handshake_timestamp_seconds", "When the newest handshake of all peers was, 0 never",
            static_cast<double>(newest));
}

void add_drops(Families& out, const std::vector<uint64_t>& drops) {
  auto& family = out.begin("dropped_packets_total", "Packets dropped or rejected, by reason", MetricType::Counter);
  for (size_t reason = 1; reason < drops.size(); ++reason) {
    Families::add(family, static_cast<double>(drops[reason]), {{"reason", reason_word(static_cast<uint8_t>(reason))}});
  }
}

void add_certificates(Families& out, const std::vector<registry::Client>& clients, UnixSeconds now) {
  auto& family = out.begin("certificates_ending", "Clients with access whose certificate ends within so many days",
                           MetricType::Gauge);
  for (const int days : {1, 7, 30}) {
    const auto ending = std::ranges::count_if(clients, [&](const registry::Client& client) {
      return client.has_access(now) && client.not_after - now < days * kDay;
    });
    Families::add(family, static_cast<double>(ending), {{"days", std::to_string(days)}});
  }
}

void add_pools(Families& out, const std::vector<registry::PoolUse>& pools) {
  auto& size = out.begin("pool_addresses", "Addresses of a VPN prefix that clients can have", MetricType::Gauge);
  for (const auto& pool : pools) Families::add(size, static_cast<double>(pool.size), {{"prefix", pool.prefix.str()}});
  auto& used = out.begin("pool_addresses_used", "Addresses of a VPN prefix that clients have", MetricType::Gauge);
  for (const auto& pool : pools) {
    Families::add(used, static_cast<double>(pool.allocated), {{"prefix", pool.prefix.str()}});
  }
}

void add_applies(Families& out, const ApplyCounts& applies) {
  auto& family =
      out.begin("apply_duration_seconds", "How long applies and rollbacks took, refused ones too", MetricType::Summary);
  ClientMetric metric;
  metric.summary.sample_count = applies.count;
  metric.summary.sample_sum = applies.seconds;
  family.metric.push_back(std::move(metric));
  out.counter("apply_failures_total", "Applies and rollbacks that were refused or went back",
              static_cast<double>(applies.failed));
}

const char* word(config::Action action) {
  if (action == config::Action::allow) return "allow";
  return action == config::Action::reject ? "reject" : "deny";
}

struct CountedRule {
  std::string name;
  const char* action;
  apply::Counter counter;
};

void add_rules(Families& out, const std::vector<CountedRule>& rules) {
  constexpr std::array<std::tuple<const char*, const char*, uint64_t apply::Counter::*>, 3> kFamilies = {
      {{"rule_packets_total", "Packets that a rule decided", &apply::Counter::packets},
       {"rule_bytes_total", "Bytes of the packets that a rule decided", &apply::Counter::bytes},
       {"rule_flows_total", "Flows that a rule allowed", &apply::Counter::flows}}};
  for (const auto& [name, help, member] : kFamilies) {
    auto& family = out.begin(name, help, MetricType::Counter);
    for (const auto& [rule, action, counter] : rules) {
      Families::add(family, static_cast<double>(counter.*member), {{"rule", rule}, {"action", action}});
    }
  }
}

// The default rule, the written and built-in ones, and what `interconnect` makes.
std::vector<CountedRule> count_rules(const config::Config& config, apply::Kernel& kernel, apply::Reconciler& ids) {
  std::vector<CountedRule> out;
  const auto add = [&](const std::string& name, const char* action, uint32_t id) {
    if (const auto counter = kernel.rule_counter(id)) out.push_back({name, action, *counter});
  };
  for (const config::Rule& rule : config.rules) add(rule.name, word(rule.action), ids.rule_id(rule.name));
  for (const auto& [name, group] : config.groups) {
    if (!group.interconnect) continue;
    const std::string rule = policy::interconnect_rule_name(name);
    add(rule, "allow", ids.rule_id(rule));
  }
  add("(default)", "deny", 0);
  return out;
}

}  // namespace

Result<std::string> GatewayController::metrics() {
  Families out;
  const UnixSeconds at = now();
  auto& build = out.begin("build_info", "Which gatewayd this is", MetricType::Gauge);
  Families::add(build, 1, {{"version", options_.version}, {"wireguard", parts_.kernel.wireguard_implementation()}});
  if (const auto clients = parts_.registry.clients()) {
    out.gauge("clients", "Clients in the registry", static_cast<double>(clients->size()));
    add_certificates(out, *clients, at);
  }
  if (authority_) {
    auto& ends =
        out.begin("authority_end_timestamp_seconds", "When the gateway's own certificates end", MetricType::Gauge);
    Families::add(ends, static_cast<double>(authority_->root().not_after), {{"certificate", "root"}});
    Families::add(ends, static_cast<double>(authority_->issuing().not_after), {{"certificate", "issuing"}});
  }
  if (const config::Config* config = applied()) {
    if (const auto peers = parts_.kernel.peers(config->vpn.interface)) add_peers(out, *peers, at);
    if (const auto pools = parts_.registry.pool_use(config->vpn.subnets)) add_pools(out, *pools);
    add_rules(out, count_rules(*config, parts_.kernel, parts_.reconciler));
  }
  if (const auto drops = parts_.kernel.drop_counters()) add_drops(out, *drops);
  if (const auto untold = parts_.kernel.untold_events()) {
    out.counter("events_untold_total", "Verdicts that the programs did not report one by one",
                static_cast<double>(std::accumulate(untold->begin(), untold->end(), uint64_t{0})));
  }
  if (const auto flows = parts_.kernel.count_flows()) {
    out.gauge("flows", "Entries in the flow tables", static_cast<double>(*flows));
  }
  if (const auto generation = parts_.kernel.generation()) {
    out.gauge("policy_generation", "Changes of the policy that open flows noticed", static_cast<double>(*generation));
  }
  add_applies(out, applies_);
  out.counter("drift_repairs_total", "Differences that others made in the kernel and that were mended",
              static_cast<double>(parts_.reconciler.repairs()));
  out.gauge("drift", "Differences in the kernel that could not be mended",
            static_cast<double>(parts_.reconciler.last().leftover.size()));
  return out.text();
}

std::optional<config::Metrics> GatewayController::metrics_file() const {
  const config::Config* config = applied();
  return config == nullptr ? std::nullopt : config->metrics;
}

}  // namespace gw::control
