// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/keeper.h"

#include <algorithm>
#include <cerrno>

#include "ctl/format.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/pki.h"

namespace gw::connect {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kGrace = 30 * kDay;  // how long after its end a certificate may still be renewed

void judge_certificate(const Network& network, UnixSeconds now, std::vector<std::string>& problems) {
  const auto certificate = pki::parse_certificate(network.certificate_pem);
  if (!certificate) return void(problems.emplace_back("Its certificate is damaged: leave, and join again."));
  if (now < certificate->not_before)
    problems.push_back("Its certificate is not valid before " + ctl::date(certificate->not_before) +
                       ": is this machine's clock right?");
  if (now > certificate->not_after + kGrace)
    problems.push_back("Its certificate ended at " + ctl::date(certificate->not_after) +
                       ", too long ago to be renewed: leave, and join with a new link.");
  else if (now > certificate->not_after)
    problems.push_back("Its certificate ended at " + ctl::date(certificate->not_after) +
                       " and is renewed as soon as the gateway can be reached.");
}

// A route that is looked up without the mark leads into the tunnel, and the gateway's answers come from outside of it.
void judge_reverse_path(const Plan& plan, std::vector<std::string>& problems) {
  const auto strict = read_file("/proc/sys/net/ipv4/conf/all/rp_filter", 16);
  if (plan.wanted.mark != 0 && strict && strict->starts_with('1'))
    problems.emplace_back(
        "net.ipv4.conf.all.rp_filter is 1, which drops what comes back from the gateway: set it to 2.");
}

std::string dns_text(const Profile& profile) {
  if (profile.dns.empty()) return "unchanged";
  std::string out;
  for (const IpAddress& server : profile.dns) out += (out.empty() ? "" : ", ") + server.str();
  if (profile.full) return out + " for all names";
  return profile.dns_domain.empty() ? out : out + " for " + profile.dns_domain;
}

const Plan* plan_of(const std::vector<Plan>& plans, const std::string& id) {
  const auto found = std::ranges::find_if(plans, [&](const Plan& plan) { return plan.wanted.id == id; });
  return found == plans.end() ? nullptr : &*found;
}

}  // namespace

bool Report::is_up(UnixSeconds now) const {
  return state && state->up && state->peer.last_handshake != 0 && now - state->peer.last_handshake < kSessionLife;
}

std::optional<nl::UdpEndpoint> endpoint_of(const Network& network) {
  if (!network.relay) return direct_endpoint(network);
  return nl::UdpEndpoint{IpAddress::parse("127.0.0.1").value(), network.relay->port};
}

std::optional<nl::UdpEndpoint> direct_endpoint(const Network& network) {
  if (!network.profile) return std::nullopt;
  auto address = IpAddress::parse(network.profile->endpoint.host);
  if (!address) address = network.endpoint;
  if (!address) return std::nullopt;
  return nl::UdpEndpoint{*address, network.profile->endpoint.port};
}

Result<Keeper> Keeper::open(const Store& store) {
  auto tunnels = Tunnels::open();
  if (!tunnels) return std::unexpected(tunnels.error());
  return Keeper(store, std::move(*tunnels));
}

Result<std::vector<Plan>> Keeper::plans(const Store::Networks& all) {
  const auto local = tunnels_.local_blocks();
  if (!local) return std::unexpected(local.error());
  return make_plans(all.networks, *local);
}

Report Keeper::start_report(const Network& network, const std::vector<Plan>& plans, UnixSeconds now) {
  Report out{.network = network, .state = std::nullopt, .dns = "unchanged", .problems = {}};
  judge_certificate(network, now, out.problems);
  if (!network.trouble.empty()) out.problems.push_back(network.trouble);
  if (!network.relay_trouble.empty()) out.problems.push_back(network.relay_trouble);
  const Plan* plan = plan_of(plans, network.id);
  if (plan == nullptr) {
    out.problems.emplace_back("The gateway has not told its profile yet.");
    return out;
  }
  out.problems.insert(out.problems.end(), plan->problems.begin(), plan->problems.end());
  judge_reverse_path(*plan, out.problems);
  if (!endpoint_of(network))
    out.problems.push_back("The name " + network.profile->endpoint.host + " of the gateway is not found.");
  return out;
}

void Keeper::read_state(Report& report) {
  const Network& network = report.network;
  if (!network.profile) return;
  auto state = tunnels_.read(network.id, network.interface, network.profile->gateway_key);
  if (state)
    report.state = *state;
  else if (state.error().code != ENODEV)
    report.problems.push_back(state.error().message());
}

void Keeper::keep(const Plan& plan, Report& report, UnixSeconds now) {
  const Network& network = report.network;
  const auto secret = store_.read_key(network.id, network.key);
  if (!secret) return report.problems.push_back(secret.error().message());
  read_state(report);
  // The kernel follows a gateway that moves: it is told only what is new, or when nobody answers where it looks.
  auto endpoint = endpoint_of(network);
  const auto told = told_.find(network.id);
  const bool follows = endpoint && !network.relay;
  if (follows && report.is_up(now) && told != told_.end() && told->second == *endpoint) endpoint.reset();
  if (auto kept = tunnels_.keep(plan.wanted, *secret, {network.profile->gateway_key, endpoint}); !kept)
    return report.problems.push_back(kept.error().message());
  if (endpoint) told_[network.id] = *endpoint;
  report.state.reset();
  read_state(report);
  keep_dns(report);
}

void Keeper::keep_dns(Report& report) {
  const Profile& profile = *report.network.profile;
  if (!report.state) return;
  Dns& given = dns_[report.network.id];
  report.dns = dns_text(profile);
  if (given.ifindex == report.state->ifindex && given.profile == profile) return;
  if (auto kept = resolved_.keep(report.state->ifindex, profile); !kept) {
    if (profile.dns.empty()) return;
    report.dns = "unchanged: " + kept.error().detail;
    if (kept.error().code != ENOTSUP) report.problems.push_back(kept.error().message());
    return;
  }
  given = {report.state->ifindex, profile};
}

void Keeper::look_at_dns(Report& report) {
  if (!report.state || !report.network.profile || report.network.profile->dns.empty()) return;
  const auto has = resolved_.has_servers(report.state->ifindex);
  if (!has)
    report.dns = "unchanged: " + has.error().detail;
  else
    report.dns = *has ? dns_text(*report.network.profile) : "unchanged: systemd-resolved was not told yet";
}

Result<std::vector<Report>> Keeper::pass(UnixSeconds now) {
  const auto lock = store_.lock_all();
  if (!lock) return std::unexpected(lock.error());
  const auto all = store_.load();
  if (!all) return std::unexpected(all.error());
  const auto plans = this->plans(*all);
  if (!plans) return std::unexpected(plans.error());
  // A network that cannot be read may be one that has to stay closed: then nothing is taken away.
  if (all->damaged.empty()) {
    if (auto swept = tunnels_.sweep(*plans); !swept) return std::unexpected(swept.error());
  }
  std::vector<Report> out;
  for (const Network& network : all->networks) {
    out.push_back(start_report(network, *plans, now));
    if (const Plan* plan = plan_of(*plans, network.id)) keep(*plan, out.back(), now);
  }
  return out;
}

Result<void> Keeper::take_down() {
  const auto lock = store_.lock_all();
  if (!lock) return std::unexpected(lock.error());
  dns_.clear();
  told_.clear();
  return tunnels_.sweep({});
}

Result<std::vector<Report>> Keeper::look(UnixSeconds now) {
  const auto all = store_.load();
  if (!all) return std::unexpected(all.error());
  const auto plans = this->plans(*all);
  if (!plans) return std::unexpected(plans.error());
  std::vector<Report> out;
  for (const Network& network : all->networks) {
    out.push_back(start_report(network, *plans, now));
    read_state(out.back());
    look_at_dns(out.back());
    if (!out.back().is_up(now)) out.back().problems.emplace_back("The gateway does not answer: no handshake lately.");
  }
  return out;
}

}  // namespace gw::connect
