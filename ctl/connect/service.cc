// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/service.h"

#include <fmt/core.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <tuple>
#include <utility>

#include "ctl/connect/membership.h"

namespace gw::connect {
namespace {

constexpr uint64_t kUsPerSecond = 1'000'000;
constexpr uint64_t kTickUs = 20 * kUsPerSecond;
constexpr uint64_t kUnsettledTickUs = 3 * kUsPerSecond;
constexpr uint64_t kSettleUs = kUsPerSecond / 20;  // changes come in bursts
constexpr UnixSeconds kFirstDelay = 60;
constexpr UnixSeconds kLongestDelay = 21600;
constexpr UnixSeconds kLookUpPause = 60;
constexpr UnixSeconds kProfileAge = 86400;
constexpr uint32_t kStoreEvents = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;

void log(const char* level, const std::string& text) {
  // The journal takes the level from the line's beginning (sd-daemon(3)).
  fmt::print(stderr, "{}{}\n", level, text);
}

}  // namespace

void Service::Patience::failed(UnixSeconds now) {
  delay = delay == 0 ? kFirstDelay : std::min(2 * delay, kLongestDelay);
  next = now + delay;
}

// A time so far ahead is from before the clock was set right.
bool Service::Patience::holds(UnixSeconds now) const { return now < next && next - now <= kLongestDelay; }

Result<int> Service::run() {
  if (auto prepared = store_.prepare(); !prepared) return std::unexpected(prepared.error());
  if (auto watched = watch(); !watched) return std::unexpected(watched.error());
  ways_->clear();
  pass();
  sd_notify(0, "READY=1");
  auto code = loop_->run();
  sd_notify(0, "STOPPING=1");
  // The tunnels stay, but no stream outlives this process.
  ways_->clear();
  std::ignore = keeper_->pass(clock_.now());
  return code;
}

Result<void> Service::watch() {
  auto loop = events::Loop::open();
  if (!loop) return std::unexpected(loop.error());
  loop_ = std::move(*loop);
  for (auto [number, source] : {std::pair{SIGTERM, &terminate_}, std::pair{SIGINT, &interrupt_}}) {
    auto signal = events::Source::signal(*loop_, number, [this] { loop_->exit(0); });
    if (!signal) return std::unexpected(signal.error());
    *source = std::move(*signal);
  }
  for (events::Source* timer : {&soon_, &tick_}) {
    auto made = events::Source::timer(*loop_, CLOCK_MONOTONIC, [this] { pass(); });
    if (!made) return std::unexpected(made.error());
    *timer = std::move(*made);
  }
  auto jobs = Jobs::open(*loop_);
  if (!jobs) return std::unexpected(jobs.error());
  jobs_ = std::move(*jobs);
  ways_.emplace(store_, clock_, *jobs_, udp_retry_, [this] { soon(); });
  // Subscribed before the first reading, so that no change in between is missed.
  if (auto watched = watch_store(); !watched) return watched;
  if (auto watched = watch_kernel(); !watched) return watched;
  auto keeper = Keeper::open(store_);
  if (!keeper) return std::unexpected(keeper.error());
  keeper_.emplace(std::move(*keeper));
  return loop_->serve_watchdog();
}

Result<void> Service::watch_store() {
  inotify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_.valid()) return failure(errno, "watch", store_.directory());
  if (inotify_add_watch(inotify_.get(), store_.directory().c_str(), kStoreEvents) < 0)
    return failure(errno, "watch", store_.directory());
  auto source = events::Source::readable(*loop_, inotify_.get(), [this] {
    char buffer[4096];
    while (::read(inotify_.get(), buffer, sizeof buffer) > 0) {
    }
    soon();
  });
  if (!source) return std::unexpected(source.error());
  store_source_ = std::move(*source);
  return {};
}

Result<void> Service::watch_kernel() {
  auto monitor = nl::Monitor::open();
  if (!monitor) return std::unexpected(monitor.error());
  monitor_ = std::move(*monitor);
  auto source = events::Source::readable(*loop_, monitor_->route_fd(), [this] {
    bool matters = false;
    const auto drained = monitor_->drain([&](nl::Monitor::What what) {
      matters = matters || (what != nl::Monitor::What::filter && what != nl::Monitor::What::nftables);
    });
    if (!drained || matters) soon();
  });
  if (!source) return std::unexpected(source.error());
  kernel_source_ = std::move(*source);
  return {};
}

/// A directory that is watched already stays so.
void Service::watch_networks() {
  const auto all = store_.load();
  if (!all) return;
  for (const Network& network : all->networks)
    inotify_add_watch(inotify_.get(), store_.directory_of(network.id).c_str(), IN_MOVED_TO);
}

void Service::soon() { std::ignore = soon_.set_after(kSettleUs); }

void Service::pass() {
  watch_networks();
  const UnixSeconds now = clock_.now();
  const auto reports = keeper_->pass(now);
  std::ignore = tick_.set_after(kTickUs);
  if (!reports) return log(SD_ERR, reports.error().message());
  ways_->tend(*reports);
  if (ways_->is_unsettled()) std::ignore = tick_.set_after(kUnsettledTickUs);
  for (const Report& report : *reports) tend(report, now);
  tell(*reports, now);
}

void Service::tend(const Report& report, UnixSeconds now) {
  const Network& network = report.network;
  if (note_proxies(network)) return;
  if (jobs_->is_busy(network.id) || patience_[network.id].holds(now)) return;
  const bool renewable = is_renewable(network.certificate_pem, now);
  if (is_due(network, now) && renewable) return start_renewal(network);
  // A profile from the future is from before the clock was set right.
  const UnixSeconds age = now - network.profile_since;
  if ((!network.profile || age >= kProfileAge || age < 0) && renewable) return start_refresh(network.id);
  if (!report.is_up(now)) look_for_endpoint(network, now);
}

bool Service::note_proxies(const Network& network) {
  const std::string& id = network.id;
  const auto [seen, fresh] = proxy_changes_.try_emplace(id, network.proxy_changes);
  if (std::exchange(seen->second, network.proxy_changes) != network.proxy_changes) patience_.erase(id);
  if (!is_environment_new(network) || jobs_->is_busy(id) || patience_[id].holds(clock_.now())) return false;
  jobs_->start(
      id, [store = store_, id] { return note_environment(store, id); },
      [this, id](const Result<void>& result) {
        if (!result) patience_[id].failed(clock_.now());
        soon();
      });
  return true;
}

void Service::start_renewal(const Network& network) {
  const std::string& id = network.id;
  jobs_->start(
      id, [store = store_, id, now = clock_.now()] { return renew(store, id, Renewal::when_due, now); },
      [this, id, before = network.certificate_pem](const Result<void>& result) {
        const auto after = store_.load(id);
        if (result && after && after->certificate_pem != before) {
          log(SD_INFO, id + ": the certificate was renewed");
          pass();  // a new key is put in place before anything else is asked
          start_refresh(id);
        }
        finished(id, result);
      });
}

void Service::start_refresh(const std::string& id) {
  jobs_->start(
      id, [store = store_, id, now = clock_.now()] { return refresh(store, id, now); },
      [this, id](const Result<void>& result) { finished(id, result); });
}

void Service::look_for_endpoint(const Network& network, UnixSeconds now) {
  if (!network.profile || IpAddress::parse(network.profile->endpoint.host)) return;
  UnixSeconds& last = looked_up_[network.id];
  if (now - last < kLookUpPause && now >= last) return;
  last = now;
  jobs_->start(
      network.id, [store = store_, id = network.id] { return find_endpoint(store, id); },
      [this](const Result<void>&) { soon(); });
}

void Service::finished(const std::string& id, const Result<void>& result) {
  // A gateway whose certificates are due as soon as they are issued is not asked without end.
  if (result)
    patience_[id] = {.next = clock_.now() + kFirstDelay, .delay = 0};
  else
    patience_[id].failed(clock_.now());
  soon();
}

void Service::tell(const std::vector<Report>& reports, UnixSeconds now) {
  size_t up = 0;
  for (const Report& report : reports) {
    up += report.is_up(now) ? 1 : 0;
    std::string text;
    for (const std::string& problem : report.problems) text += (text.empty() ? "" : " ") + problem;
    std::string& told = told_[report.network.id];
    if (text == told) continue;
    log(text.empty() ? SD_INFO : SD_WARNING,
        report.network.name() + ": " + (text.empty() ? "no problems any more" : text));
    told = text;
  }
  sd_notifyf(0, "STATUS=%zu of %zu networks up", up, reports.size());
}

}  // namespace gw::connect
