// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/apply/intent_store.h"
#include "gatewayd/apply/linux_kernel.h"
#include "gatewayd/apply/pace.h"
#include "gatewayd/apply/reconciler.h"
#include "gatewayd/base/fd.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/dbus/bus.h"
#include "gatewayd/dbus/service.h"
#include "gatewayd/events/clock_watch.h"
#include "gatewayd/events/limiter.h"
#include "gatewayd/events/loop.h"
#include "gatewayd/events/resolver.h"
#include "gatewayd/log.h"
#include "gatewayd/signer/client.h"
#include "gatewayd/signer_child.h"
#include "netlink/monitor.h"

namespace gw {

/// Its members may do everything (gatewayd/dbus/authority.h).
inline constexpr const char* kAdminGroup = "gatewayd-admin";

struct DaemonOptions {
  std::string config = "/etc/gatewayd";
  std::string state = "/var/lib/gatewayd";
  std::string run = "/run/gatewayd";
  std::string bpffs = "/sys/fs/bpf/gatewayd";
  std::string instance = "gateway";
  std::string version;
  std::string signer;        ///< socket of gatewayd-signer; empty: gatewayd starts one of its own
  bool trust_clock = false;  ///< control::TimeKeeper::Sources
};

/// The composition root: opens every part in order, joins them on one event loop, and logs. Ending it leaves the kernel
/// as it is: traffic and policy go on. One thread.
class Daemon {
 public:
  /// Takes the instance's lock, then opens bus, state and kernel; nothing of the network is changed yet. The error is
  /// one sentence that says what to do.
  static Result<std::unique_ptr<Daemon>> open(const DaemonOptions& options, const Log& log);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Takes the bus name, makes the kernel equal to the intent, tells the service manager, and serves until SIGTERM or
  /// SIGINT.
  Result<int> run();

 private:
  Daemon(const DaemonOptions& options, const Log& log, events::Loop loop);

  // daemon.cc: opening
  Result<void> finish_restore();
  Result<void> open_state();
  Result<void> open_signer();
  Result<void> open_kernel();
  Result<void> open_bus();

  // serve.cc: running
  Result<void> watch();
  Result<void> watch_kernel();
  Result<void> make_timers();
  Result<void> watch_clock();
  Result<void> watch_signals();
  void reload();
  void converge();
  void on_kernel_change();
  void on_firewall_change();
  void on_converged(const apply::Report& report);
  void remove_other_layouts();
  void on_adjusted(const apply::Report& report);
  void on_verdicts();
  void settle_verdicts();
  void names_changed();
  void write_names();
  void follow_metrics();
  void write_metrics();
  void tick();
  void schedule_converge();
  void schedule_tick();
  void look_up_names();
  void look_at_endings();
  void look_at_fast_path();
  void regain_bus();
  void log_report(const apply::Report& report);
  [[nodiscard]] const char* status_line() const;
  void log_failure(const Result<void>& result) const;

  DaemonOptions options_;
  const Log& log_;
  SystemClock clock_;
  events::Loop loop_;
  std::string run_directory_;  // of this instance
  UniqueFd lock_;
  PublicKey public_key_;
  std::optional<SecretKey> private_key_;
  std::optional<registry::Registry> registry_;
  std::optional<apply::IntentStore> intents_;
  std::unique_ptr<apply::LinuxKernel> kernel_;
  std::optional<apply::Reconciler> reconciler_;
  SignerChild signer_child_;
  std::optional<signer::Remote> signer_;
  std::optional<control::GatewayController> controller_;
  std::function<void()> on_bus_lost_;
  dbus::Bus bus_;
  std::unique_ptr<dbus::Service> service_;

  std::optional<nl::Monitor> monitor_;
  apply::Pace pace_;
  events::Limiter logged_limit_{20, 100}, denied_limit_{5, 50};  // rules that log, all other refusals
  uint64_t untold_ = 0;                                          // verdicts that the journal has not heard of
  std::optional<config::Metrics> metrics_;                       // what is being written now
  std::string metrics_complaint_;                                // said once
  bool settling_ = false;                                        // settle_timer_ runs
  apply::Pace::Time frame_checked_{0};
  bool layouts_removed_ = false;
  std::vector<std::string> complaints_;  // what the last report complained of: said once, not at every retry
  std::vector<events::Source> sources_;
  std::optional<events::ClockWatch> clock_watch_;
  std::optional<events::Resolver> resolver_;
  events::Source converge_timer_, tick_timer_, bus_timer_, names_timer_, endings_timer_, settle_timer_,
      fast_path_timer_, metrics_timer_, write_names_timer_;
  bool names_due_ = false;       // write_names_timer_ runs
  std::string names_complaint_;  // said once
};

/// `gatewayd --reset-time`: the registry believes the wall clock again, whatever it has seen. 0, or 1 with the reason
/// on stderr. Needs that no daemon of the instance runs.
int reset_time(const DaemonOptions& options);

/// `gatewayd --finish-restore`: what gwctl restore left to do for somebody who may write the configuration directory
/// (ExecStartPre of gatewayd.service). 0, also where there is nothing to do; 1 with the reason on stderr.
int finish_restored_configuration(const DaemonOptions& options);

/// `gatewayd --frame-only`: loads the fail-closed frame of the configuration that gatewayd will start with, before the
/// network comes up (gatewayd-guard.service), and turns nothing on. 0 also where nothing was ever configured. 1 with
/// the reason on stderr: then forwarding is turned off instead, so that nothing passes between networks without it.
int load_frame_only(const DaemonOptions& options);

/// `gatewayd --teardown`: stops forwarding, then takes away all that this instance has in the kernel and in the run
/// directory; registry, keys and configuration stay. For the removal of the package: the host is as without gatewayd
/// afterwards. Needs that no daemon of the instance runs. 0, or 1 with the reason on stderr.
int tear_down(const DaemonOptions& options);

/// Takes the instance's lock, making its run directory; EBUSY says that a daemon runs. Held while the fd lives.
Result<UniqueFd> lock_instance(const std::string& run_directory, const std::string& instance);

/// `gatewayd --check`: every diagnostic of the configuration on stderr; 0 when it would load, else 1. Touches nothing.
int check_configuration(const std::string& directory);

}  // namespace gw
