// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/daemon.h"

#include <sys/timex.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "gatewayd/backup/switch.h"
#include "gatewayd/base/file.h"
#include "gatewayd/control/wireguard_key.h"
#include "gatewayd/names/ask.h"

namespace gw {
namespace {

constexpr mode_t kStateMode = 0700;
constexpr mode_t kRunMode = 0755;

bool clock_is_synchronised() {
  timex state{};
  const int clock = ::adjtimex(&state);      // -1: nobody told
  return clock >= 0 && clock != TIME_ERROR;  // STA_UNSYNC, adjtimex(2)
}

// Since boot, suspended time included.
UnixSeconds running_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec;
}

}  // namespace

Result<UniqueFd> lock_instance(const std::string& run_directory, const std::string& instance) {
  if (auto made = make_directories(run_directory, kRunMode); !made) return std::unexpected(made.error());
  auto lock = lock_file(run_directory + "/lock");
  if (!lock && lock.error().code == EBUSY) {
    return failure(EBUSY, "start instance", instance,
                   "a gatewayd of this instance runs already (" + run_directory +
                       "/lock); stop it, or give this one another --instance, --state and --run");
  }
  return lock;
}

int reset_time(const DaemonOptions& options) {
  const auto tell = [](const Error& error) {
    std::fprintf(stderr, "gatewayd: %s\n", error.message().c_str());
    return 1;
  };
  const std::string run_directory = options.run + "/" + options.instance;
  const auto lock = lock_instance(run_directory, options.instance);
  if (!lock) return tell(lock.error());
  auto registry = registry::Registry::open(options.state + "/registry.db");
  if (!registry) return tell(registry.error());
  const UnixSeconds wall = SystemClock().now();
  const auto before = control::reset_time(*registry, run_directory, wall, "uid " + std::to_string(::getuid()));
  if (!before) return tell(before.error());
  std::printf("gatewayd: the clock is believed again: %lld; the latest time before was %lld (seconds since 1970)\n",
              static_cast<long long>(wall), static_cast<long long>(*before));
  return 0;
}

int finish_restored_configuration(const DaemonOptions& options) {
  const auto done = backup::finish_configuration(options.state, options.config);
  if (done) return 0;
  std::fprintf(stderr, "gatewayd: %s\n", done.error().message().c_str());
  return 1;
}

Daemon::Daemon(const DaemonOptions& options, const Log& log, events::Loop loop)
    : options_(options), log_(log), loop_(std::move(loop)), run_directory_(options.run + "/" + options.instance) {}

Result<std::unique_ptr<Daemon>> Daemon::open(const DaemonOptions& options, const Log& log) {
  auto loop = events::Loop::open();
  if (!loop) return std::unexpected(loop.error());
  std::unique_ptr<Daemon> daemon(new Daemon(options, log, std::move(*loop)));
  auto lock = lock_instance(daemon->run_directory_, options.instance);
  if (!lock) return std::unexpected(lock.error());
  daemon->lock_ = std::move(*lock);
  for (auto step : {&Daemon::open_bus, &Daemon::open_state, &Daemon::open_kernel}) {
    if (auto done = ((*daemon).*step)(); !done) return std::unexpected(done.error());
  }
  return daemon;
}

Result<void> Daemon::open_bus() {
  auto bus = dbus::open_system_bus(loop_.get());
  if (!bus) return std::unexpected(bus.error());
  bus_ = std::move(*bus);
  return dbus::on_bus_lost(bus_.get(), &on_bus_lost_);
}

// ExecStartPre of gatewayd.service, or whoever may write there, has put the configuration files in place; without it
// they are kept where the operator finds them, and what was applied is in force all the same.
Result<void> Daemon::finish_restore() {
  if (backup::is_pending(options_.state)) {
    if (auto adopted = signer_->adopt(); !adopted) return adopted;
  }
  const auto written = backup::finish_configuration(options_.state, options_.config);
  if (!written) {
    log_.error(written.error().message() + "; the restored configuration files are in " + options_.state +
               "/restored-config: copy them to " + options_.config);
  }
  return backup::finish_state(options_.state, written.has_value());
}

Result<void> Daemon::open_state() {
  if (auto made = make_directories(options_.state, kStateMode); !made) return made;
  if (auto opened = open_signer(); !opened) return opened;
  if (auto finished = finish_restore(); !finished) return finished;
  auto registry = registry::Registry::open(options_.state + "/registry.db");
  if (!registry) return std::unexpected(registry.error());
  registry_ = std::move(*registry);
  auto keys = control::open_wireguard_keys(options_.state + "/wireguard.key");
  if (!keys) return std::unexpected(keys.error());
  private_key_ = keys->secret;
  public_key_ = keys->public_key;
  auto intents = apply::IntentStore::open(options_.state + "/intents");
  if (!intents) return std::unexpected(intents.error());
  intents_ = std::move(*intents);
  return {};
}

Result<void> Daemon::open_signer() {
  if (!options_.signer.empty()) {
    signer_.emplace(options_.signer);
    return {};
  }
  const std::string socket = run_directory_ + "/signer";
  if (auto opened = signer_child_.open(socket, options_.state + "/ca"); !opened) return opened;
  signer_.emplace([this, socket](const signer::Json& question) -> Result<signer::Json> {
    if (auto ready = signer_child_.ready(); !ready) return std::unexpected(ready.error());
    return signer::ask_at(socket, question);
  });
  return {};
}

Result<void> Daemon::open_kernel() {
  auto kernel = apply::LinuxKernel::open({options_.instance, run_directory_, options_.bpffs}, clock_);
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = std::move(*kernel);
  auto reconciler = apply::Reconciler::open(*kernel_, *private_key_, run_directory_);
  if (!reconciler) return std::unexpected(reconciler.error());
  reconciler_ = std::move(*reconciler);
  controller_.emplace(
      control::GatewayController::Parts{*registry_, *reconciler_, *intents_, *kernel_, clock_, *signer_},
      control::GatewayController::Options{options_.config, options_.version, public_key_, clock_is_synchronised,
                                          options_.trust_clock, running_seconds, run_directory_, options_.state,
                                          names::ask},
      control::GatewayController::Listener{
          [this](const apply::Report& report) { on_converged(report); },
          [this](const apply::Report& report) { on_adjusted(report); },
          [this](const std::string& line, const char* message) { log_.notice(line, message); },
          [this] { loop_.exit(0); }});
  auto service = dbus::Service::attach(bus_.get(), *controller_, kAdminGroup);
  if (!service) return std::unexpected(service.error());
  service_ = std::move(*service);
  return {};
}

}  // namespace gw
