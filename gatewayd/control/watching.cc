// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "gatewayd/base/nearest.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/gateway.h"

/// What passes at this moment: tracked flows and verdicts.
namespace gw::control {
namespace {

constexpr uint32_t kPage = 2048;  // entries that one call looks at: a few milliseconds
constexpr uint64_t kNsPerSecond = 1'000'000'000;

std::vector<std::string> rule_names(const config::Config& config) {
  std::vector<std::string> out(config.rules.size());
  std::ranges::transform(config.rules, out.begin(), &config::Rule::name);
  for (const auto& [name, group] : config.groups) {
    if (group.interconnect) out.push_back(policy::interconnect_rule_name(name));
  }
  return out;
}

Result<void> check_known(const char* what, const std::string& name, const std::vector<std::string>& known) {
  if (name.empty() || std::ranges::find(known, name) != known.end()) return {};
  return failure(ENOENT, "find", std::string(what) + " " + name, "none has this name" + did_you_mean(name, known));
}

}  // namespace

Words GatewayController::words(const plan::Intent& intent) const {
  return {intent, [this](uint32_t id) { return parts_.reconciler.rule_name(id); }};
}

Result<FlowList> GatewayController::flows(const FlowFilter& filter, uint64_t from) {
  if (auto known = applied_or_error("list", "flows"); !known) return std::unexpected(known.error());
  const plan::Intent& intent = *parts_.reconciler.intent();
  if (auto known = check_known("rule", filter.rule, rule_names(intent.config)); !known)
    return std::unexpected(known.error());
  const auto match = FlowMatch::of(filter, intent);
  if (!match) return std::unexpected(match.error());
  const auto generation = parts_.kernel.generation();
  if (!generation) return std::unexpected(generation.error());
  const auto page = parts_.kernel.flows(from, kPage);
  if (!page) return std::unexpected(page.error());
  const Words words = this->words(intent);
  const auto wall_ns = static_cast<uint64_t>(now()) * kNsPerSecond;
  FlowList out{.flows = {}, .next = page->next};
  for (const apply::Flow& flow : page->flows) {
    if (!is_live(flow, wall_ns)) continue;
    FlowStatus status = words.flow(flow, *generation);
    if (match->matches(flow, status)) out.flows.push_back(std::move(status));
  }
  return out;
}

Result<FlowsEnded> GatewayController::end_flows(const FlowFilter& filter, bool all, uint64_t from, const Who& who) {
  constexpr const char* kEnd = "end flows";
  if (filter.empty() && !all) {
    return failure(EINVAL, kEnd, {}, "say which: of a client, a rule, from or to where, or a service; or all of them");
  }
  if (auto known = applied_or_error(kEnd, ""); !known) return std::unexpected(known.error());
  const plan::Intent& intent = *parts_.reconciler.intent();
  if (auto known = check_known("rule", filter.rule, rule_names(intent.config)); !known)
    return std::unexpected(known.error());
  const auto match = FlowMatch::of(filter, intent);
  if (!match) return std::unexpected(match.error());
  const auto page = parts_.kernel.flows(from, kPage);
  if (!page) return std::unexpected(page.error());
  const Words words = this->words(intent);
  FlowsEnded out{.ended = 0, .next = page->next};
  for (const apply::Flow& flow : page->flows) {
    if (flow.entry.orig.proto == 0 || !match->matches(flow, words.flow(flow, 0))) continue;
    const auto erased = parts_.kernel.erase_flow(flow.key);
    if (!erased) return std::unexpected(erased.error());
    if (*erased) ++out.ended;
  }
  if (out.ended != 0) tell(fmt::format("{} flows ended by {}", out.ended, who));
  return out;
}

Result<void> GatewayController::check_watch(const WatchFilter& filter) const {
  const config::Config* config = applied();
  if (config == nullptr) return {};
  std::vector<std::string> clients;
  for (const auto& [number, client] : parts_.reconciler.intent()->clients) clients.push_back(client.name);
  if (auto known = check_known("client", filter.client, clients); !known) return known;
  if (auto known = check_known("subnet", filter.subnet, names_of(config->subnets)); !known) return known;
  return check_known("rule", filter.rule, rule_names(*config));
}

Result<UniqueFd> GatewayController::watch(const WatchFilter& filter) {
  if (auto known = check_watch(filter); !known) return std::unexpected(known.error());
  return watchers_.add(filter);
}

std::optional<Sighting> GatewayController::sight(const gw_event& event, int64_t wall_offset_ns) {
  const plan::Intent* intent = parts_.reconciler.intent();
  if (intent == nullptr) return std::nullopt;
  Sighting sighting = words(*intent).sighting(event, wall_offset_ns);
  watchers_.show(sighting);
  return sighting;
}

uint64_t GatewayController::tell_untold() {
  const auto counts = parts_.kernel.untold_events();
  if (!counts) return 0;
  const uint64_t now = std::accumulate(counts->begin(), counts->end(), uint64_t{0});
  // What was kept back while nobody asked, by an earlier daemon perhaps, is no news.
  const uint64_t news = untold_ && now > *untold_ ? now - *untold_ : 0;
  untold_ = now;
  if (news != 0) watchers_.untold(news);
  return news;
}

}  // namespace gw::control
