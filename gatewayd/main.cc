// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "gatewayd/daemon.h"

namespace {

constexpr int kUsage = 2;

// One instance's name becomes a directory and an interface alias.
std::string check_instance(const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= 32 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string::npos;
  return good ? "" : "use 1 to 32 letters, digits, - and _";
}

int run(const gw::DaemonOptions& options) {
  const gw::Log log;
  auto daemon = gw::Daemon::open(options, log);
  if (!daemon) {
    log.error(daemon.error().message());
    return 1;
  }
  const auto code = (*daemon)->run();
  if (code) return *code;
  log.error(code.error().message());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  gw::DaemonOptions options;
  options.version = GW_VERSION;
  bool check = false;
  bool reset = false;
  bool frame = false;
  bool finish = false;
  bool teardown = false;
  CLI::App app("Keeps this gateway's kernel equal to its configuration.", "gatewayd");
  app.add_option("--config", options.config, "Directory of gateway.yaml and gateway.d/")->capture_default_str();
  app.add_option("--state", options.state, "Registry, keys and applied intents")->capture_default_str();
  app.add_option("--run", options.run, "Lock and what lives as long as the kernel's objects")->capture_default_str();
  app.add_option("--bpffs", options.bpffs, "A directory in a BPF file system for pinned programs and maps")
      ->capture_default_str();
  app.add_option("--signer", options.signer,
                 "Socket of the gatewayd-signer that holds the authority's keys; without it gatewayd starts one that "
                 "keeps them in STATE/ca and listens at RUN/INSTANCE/signer");
  app.add_option("--instance", options.instance, "Name of this gateway among several on one machine")
      ->capture_default_str()
      ->check(check_instance);
  app.add_flag("--check", check, "Print every diagnostic of the configuration and exit: 0 when it is good, else 1");
  app.add_flag(
      "--trust-clock", options.trust_clock,
      "Issue certificates although nothing synchronises the clock: for containers, or where it is right without");
  app.add_flag(
      "--frame-only", frame,
      "Load the fail-closed nftables frame of the configuration to start with, and exit: before the network is up");
  app.add_flag("--teardown", teardown,
               "Stop forwarding, take away everything of ours in the kernel, and exit; registry and files stay");
  app.add_flag("--finish-restore", finish,
               "Put the configuration files of a restored backup in place, and exit: where gatewayd itself may not");
  app.add_flag("--reset-time", reset,
               "Believe the clock again although later times have been seen, and exit: after a clock was wildly ahead");
  app.set_version_flag("--version", std::string("gatewayd ") + GW_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (frame) return gw::load_frame_only(options);
  if (teardown) return gw::tear_down(options);
  if (finish) return gw::finish_restored_configuration(options);
  if (reset) return gw::reset_time(options);
  return check ? gw::check_configuration(options.config) : run(options);
}
