// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <tuple>
#include <utility>

#include "gatewayd/base/file.h"
#include "gatewayd/control/message_id.h"
#include "gatewayd/daemon.h"

namespace gw {
namespace {

namespace message_id = control::message_id;

constexpr uint64_t kUsPerMs = 1000;
constexpr uint64_t kUsPerSecond = 1'000'000;
constexpr size_t kMostLines = 40;  // of one report: ten thousand clients are not listed one by one
constexpr uint64_t kNamesUs = 60 * kUsPerSecond;
constexpr uint64_t kWriteNamesUs = 50'000;
constexpr uint64_t kWriteNamesAgainUs = 5 * kUsPerSecond;
constexpr uint64_t kEndingsUs = 3600 * kUsPerSecond;
constexpr uint64_t kSettleUs = kUsPerSecond;
constexpr uint64_t kFastPathUs = 2 * kUsPerSecond;
constexpr apply::Pace::Time kFrameCheck{100};
constexpr uint64_t kBusRetryUs = 2 * kUsPerSecond;

apply::Pace::Time monotonic() {
  return std::chrono::duration_cast<apply::Pace::Time>(std::chrono::steady_clock::now().time_since_epoch());
}

int64_t wall_offset_ns() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto mono = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(wall - mono).count();
}

}  // namespace

Result<int> Daemon::run() {
  if (auto claimed = service_->claim_name(); !claimed) return std::unexpected(claimed.error());
  // Subscribed before the first reading, so that no change in between is missed.
  if (auto watched = watch(); !watched) return std::unexpected(watched.error());
  if (auto started = controller_->start(); !started) return std::unexpected(started.error());
  converge();
  controller_->tell_untold();
  schedule_tick();
  look_up_names();
  look_at_endings();
  look_at_fast_path();
  sd_notifyf(0, "READY=1\nSTATUS=%s", status_line());
  log_.info("serving, version " + options_.version, message_id::kServing);
  auto code = loop_.run();
  sd_notify(0, "STOPPING=1");
  return code;
}

Result<void> Daemon::watch() {
  auto monitor = nl::Monitor::open();
  if (!monitor) return std::unexpected(monitor.error());
  monitor_ = std::move(*monitor);
  for (auto step : {&Daemon::watch_kernel, &Daemon::make_timers, &Daemon::watch_clock, &Daemon::watch_signals}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  auto resolver = events::Resolver::open(
      loop_, [this](const std::string& name, const IpAddress& address) { controller_->name_resolved(name, address); });
  if (!resolver) return std::unexpected(resolver.error());
  resolver_ = std::move(*resolver);
  on_bus_lost_ = [this] {
    log_.error("the connection to the bus is lost; trying to get it back", message_id::kBusLost);
    log_failure(bus_timer_.set_after(kBusRetryUs));
  };
  return loop_.serve_watchdog();
}

Result<void> Daemon::watch_kernel() {
  const std::pair<int, events::Source::Callback> all[] = {{monitor_->route_fd(), [this] { on_kernel_change(); }},
                                                          {monitor_->nftables_fd(), [this] { on_firewall_change(); }},
                                                          {kernel_->event_fd(), [this] { on_verdicts(); }}};
  for (const auto& [fd, callback] : all) {
    auto source = events::Source::readable(loop_, fd, callback);
    if (!source) return std::unexpected(source.error());
    sources_.push_back(std::move(*source));
  }
  return {};
}

Result<void> Daemon::make_timers() {
  const std::tuple<events::Source*, clockid_t, events::Source::Callback> all[] = {
      {&converge_timer_, CLOCK_MONOTONIC, [this] { converge(); }},
      {&tick_timer_, CLOCK_REALTIME, [this] { tick(); }},
      {&bus_timer_, CLOCK_MONOTONIC, [this] { regain_bus(); }},
      {&settle_timer_, CLOCK_MONOTONIC, [this] { settle_verdicts(); }},
      {&names_timer_, CLOCK_MONOTONIC, [this] { look_up_names(); }},
      {&endings_timer_, CLOCK_MONOTONIC, [this] { look_at_endings(); }},
      {&fast_path_timer_, CLOCK_MONOTONIC, [this] { look_at_fast_path(); }},
      {&write_names_timer_, CLOCK_MONOTONIC, [this] { write_names(); }},
      {&metrics_timer_, CLOCK_MONOTONIC, [this] { write_metrics(); }}};
  for (const auto& [timer, clock, callback] : all) {
    auto made = events::Source::timer(loop_, clock, callback);
    if (!made) return std::unexpected(made.error());
    *timer = std::move(*made);
  }
  return {};
}

Result<void> Daemon::watch_clock() {
  auto clock_watch = events::ClockWatch::open(loop_, [this] {
    log_.notice("the clock was set", message_id::kClock);
    controller_->clock_was_set();
    schedule_tick();
  });
  if (!clock_watch) return std::unexpected(clock_watch.error());
  clock_watch_ = std::move(*clock_watch);
  return {};
}

Result<void> Daemon::watch_signals() {
  const auto stop = [this] {
    log_.info("stopping; traffic and policy go on");
    loop_.exit(0);
  };
  const std::pair<int, events::Source::Callback> all[] = {
      {SIGTERM, stop}, {SIGINT, stop}, {SIGHUP, [this] { reload(); }}};
  for (const auto& [number, callback] : all) {
    auto source = events::Source::signal(loop_, number, callback);
    if (!source) return std::unexpected(source.error());
    sources_.push_back(std::move(*source));
  }
  return {};
}

// SIGHUP comes from root alone: the files are applied as by gwctl apply.
void Daemon::reload() {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(monotonic().count()) * 1000);
  if (const auto applied = controller_->apply(0, "SIGHUP"); !applied) log_.error(applied.error().message());
  schedule_tick();
  sd_notify(0, "READY=1");
}

void Daemon::on_kernel_change() {
  log_failure(monitor_->drain([](nl::Monitor::What) {}));
  pace_.changed(monotonic());
  schedule_converge();
}

// Without the frame the gateway's own services are open and nothing is translated: that does not wait its turn as other
// drift does. Where others change nftables without end, it does after all.
void Daemon::on_firewall_change() {
  on_kernel_change();
  if (monotonic() - frame_checked_ < kFrameCheck) return;
  const auto there = kernel_->has_frame();
  frame_checked_ = monotonic();
  if (!there) return log_failure(std::unexpected(there.error()));
  if (!*there) controller_->restore_frame();
}

void Daemon::converge() {
  pace_.started(monotonic());
  controller_->converge();
}

void Daemon::on_converged(const apply::Report& report) {
  pace_.finished(monotonic(), report.clean());
  follow_metrics();
  names_changed();
  log_report(report);
  if (report.clean()) remove_other_layouts();
  schedule_converge();
  schedule_tick();
}

// Kept until what replaces them works: an upgrade that fails can go back.
void Daemon::remove_other_layouts() {
  if (std::exchange(layouts_removed_, true)) return;
  const auto gone = kernel_->remove_other_layouts();
  if (!gone) return log_.error(gone.error().message());
  for (const std::string& directory : *gone) log_.notice("programs and maps of another version are gone: " + directory);
}

void Daemon::on_adjusted(const apply::Report& report) {
  schedule_tick();
  names_changed();
  if (!report.clean() || !report.repairs.empty()) log_report(report);
  if (report.clean() && !report.unsettled) return;
  pace_.changed(monotonic());
  schedule_converge();
}

void Daemon::schedule_converge() {
  if (const auto at = pace_.next_run_at()) {
    log_failure(converge_timer_.set_at(static_cast<uint64_t>(at->count()) * kUsPerMs));
  } else {
    converge_timer_.stop();
  }
}

void Daemon::tick() {
  controller_->tick();
  schedule_tick();
}

void Daemon::schedule_tick() {
  if (const auto at = controller_->next_tick()) {
    log_failure(tick_timer_.set_at(static_cast<uint64_t>(*at) * kUsPerSecond));
  } else {
    tick_timer_.stop();
  }
}

void Daemon::on_verdicts() {
  const int64_t offset = wall_offset_ns();
  const auto drained = kernel_->drain_events([this, offset](const gw_event& event) {
    const auto sighting = controller_->sight(event, offset);
    if (!sighting) return;
    // What no rule logs must not crowd out what one does.
    const auto kept_back = (sighting->logged ? logged_limit_ : denied_limit_).admit(monotonic());
    if (!kept_back) return;
    log_.entry(control::journal_fields(*sighting, *kept_back + std::exchange(untold_, 0)));
  });
  log_failure(drained);
  if (!std::exchange(settling_, true)) log_failure(settle_timer_.set_after(kSettleUs));
}

// A second after verdicts came: what was not told one by one is told as a number, to whoever watches and to the
// journal.
void Daemon::settle_verdicts() {
  const uint64_t news = controller_->tell_untold();
  const uint64_t kept_back = logged_limit_.take_suppressed() + denied_limit_.take_suppressed();
  untold_ += news + kept_back;
  const bool settled = controller_->settle_watchers();
  settling_ = news + kept_back != 0 || !settled;
  if (settling_) return log_failure(settle_timer_.set_after(kSettleUs));
  if (untold_ != 0) log_.entry(control::journal_summary(std::exchange(untold_, 0)));
}

// A moment later: whoever makes a thousand clients, or revokes one, does not wait for the file with all of them.
void Daemon::names_changed() {
  if (!std::exchange(names_due_, true)) log_failure(write_names_timer_.set_after(kWriteNamesUs));
}

void Daemon::write_names() {
  names_due_ = false;
  const auto written = controller_->write_names();
  const std::string complaint = written ? "" : written.error().message();
  if (!complaint.empty() && complaint != names_complaint_) log_.error("names are not as they should be: " + complaint);
  names_complaint_ = complaint;
  if (written) return;
  names_due_ = true;
  log_failure(write_names_timer_.set_after(kWriteNamesAgainUs));
}

// After a change of the configuration: another file, another interval, or none.
void Daemon::follow_metrics() {
  auto wanted = controller_->metrics_file();
  if (wanted == metrics_) return;
  // Numbers that nobody keeps fresh are worse than none.
  if (metrics_ && (!wanted || wanted->textfile != metrics_->textfile)) (void)std::remove(metrics_->textfile.c_str());
  metrics_ = std::move(wanted);
  metrics_timer_.stop();
  if (metrics_) write_metrics();
}

void Daemon::write_metrics() {
  constexpr mode_t kForAll = 0644;
  Result<void> done;
  if (const auto text = controller_->metrics()) {
    done = write_file_atomically(metrics_->textfile, *text, kForAll);
  } else {
    done = std::unexpected(text.error());
  }
  const std::string complaint = done ? "" : done.error().message();
  if (!complaint.empty() && complaint != metrics_complaint_) log_.error(complaint);
  metrics_complaint_ = complaint;
  log_failure(metrics_timer_.set_after(metrics_->interval_seconds * kUsPerSecond));
}

void Daemon::log_report(const apply::Report& report) {
  for (const std::string& line : report.repairs) log_.warning("repaired: " + line, message_id::kRepaired);
  size_t shown = 0;
  for (const std::string& line : report.done) {
    if (std::ranges::find(report.repairs, line) != report.repairs.end()) continue;
    if (++shown <= kMostLines) log_.info("done: " + line);
  }
  if (shown > kMostLines) log_.info(fmt::format("done: {} more operations", shown - kMostLines));
  std::vector<std::string> complaints;
  complaints.reserve(report.errors.size() + report.leftover.size());
  for (const Error& error : report.errors) complaints.push_back(error.message());
  for (const std::string& line : report.leftover) complaints.push_back("not done yet: " + line);
  if (complaints == complaints_) return;
  for (const std::string& line : complaints) log_.error(line, message_id::kTrouble);
  if (complaints.empty()) log_.info("the kernel is as wanted again", message_id::kSettled);
  complaints_ = std::move(complaints);
  sd_notifyf(0, "STATUS=%s", status_line());
}

const char* Daemon::status_line() const { return complaints_.empty() ? "serving" : complaints_.front().c_str(); }

void Daemon::log_failure(const Result<void>& result) const {
  if (!result) log_.error(result.error().message());
}

// Names of sites: looked up again and again, since addresses behind them change (a home's line gets another every
// night).
void Daemon::look_up_names() {
  for (const std::string& name : controller_->names_to_resolve()) resolver_->ask(name);
  log_failure(names_timer_.set_after(kNamesUs));
}

void Daemon::look_at_endings() {
  controller_->tell_endings();
  log_failure(endings_timer_.set_after(kEndingsUs));
}

// Packets that a driver loses are told by nobody else: traffic would stop, and nothing would look wrong.
void Daemon::look_at_fast_path() {
  const auto failed = kernel_->fast_path_failed();
  if (!failed) {
    log_.error(failed.error().message());
  } else if (*failed) {
    log_.error("drivers lose packets that the fast path redirects: it is off until the next start",
               message_id::kFastPathOff);
    converge();
  }
  if (kernel_->xdp_is_gone()) on_kernel_change();
  log_failure(fast_path_timer_.set_after(kFastPathUs));
}

// A bus that was restarted: new connection, same objects. Until then nobody can ask, and nothing else is missing.
void Daemon::regain_bus() {
  service_.reset();
  bus_.reset();
  Result<void> done = open_bus();
  if (done) {
    auto service = dbus::Service::attach(bus_.get(), *controller_, kAdminGroup);
    done = service ? (*service)->claim_name() : std::unexpected(service.error());
    if (done) service_ = std::move(*service);
  }
  if (done) return log_.notice("the bus is back");
  service_.reset();
  log_failure(bus_timer_.set_after(kBusRetryUs));
}

}  // namespace gw
