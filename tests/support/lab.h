// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tests/support/host.h"
#include "tests/support/sockets.h"

namespace gw::test {

/// A whole test network with a real gatewayd in the middle:
///
///   web   10.1.1.10  fd10:1:1::10 --- eth1 |         |
///   data  10.1.2.10  fd10:1:2::10 --- eth2 | gateway | eth0 5.5.5.1 2a0d:5::1 --- the internet (one bridge)
///                                          |         |      outside 5.5.5.200 2a0d:5::c8, clients 5.5.5.11 …
///
/// VPN 172.16.201.0/24 and fd6d:706e:6c61::/64; clients connect with wg-quick and the profile that gwctl wrote. The
/// public addresses are globally reachable ones, since documentation prefixes are not `internet` by the IANA
/// registries; no packet leaves the namespaces. Programs come from GW_BINARY_DIR.
class Lab {
 public:
  explicit Lab(std::string binaries);
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab();

  Host& gateway() { return *gateway_; }
  Host& web() { return *web_; }
  Host& data() { return *data_; }
  Host& outside() { return *outside_; }
  Host& internet() { return *internet_; }  ///< the bridge; its port to the gateway is `gw`
  Host& client(const std::string& name);

  /// gateway.yaml: the network above, then `more` (groups, rules, nat …).
  void configure(const std::string& more);
  void write_file(const std::string& name, const std::string& text);  ///< below the configuration directory
  /// Starts gatewayd and waits for READY=1; throws with its log.
  void start();
  /// Starts gatewayd that is meant to fail; its exit code, and the log since.
  Output start_refused();
  /// Where gatewayd pins; /run/bpf unless set.
  void set_bpffs(const std::string& directory) { bpffs_ = directory; }
  /// Whether gatewayd is told to trust a clock that nothing synchronises; it is unless set.
  void set_trust_clock(bool trust) { trust_clock_ = trust; }
  /// The program that starts from now on; gatewayd unless set.
  void set_daemon(const std::string& program) { daemon_program_ = program; }
  /// From the next start on gatewayd finds its stderr to be the journal.
  void log_to_journal() { journal_ = true; }
  /// Starts gatewayd-names, which serves names where the configuration has a domain.
  void start_names();
  /// Ends it by a signal, and waits.
  void stop_names(int signal = SIGTERM) { names_.end(signal); }
  [[nodiscard]] std::string names_log() const;
  void crash();  ///< kill -9
  void stop();   ///< SIGTERM
  [[nodiscard]] bool running() const { return daemon_.running(); }
  [[nodiscard]] pid_t daemon_pid() const { return daemon_.pid(); }

  /// gateway.public.enroll_port in a file of its own; before the first `start`, or followed by an apply.
  void configure_enrolment();
  /// gatewayd-enroll on the public addresses, port 443; returns when it has a certificate.
  void start_enrolment();
  void crash_enrolment() { enrolment_.end(SIGKILL); }
  [[nodiscard]] std::string enrolment_log() const;
  /// gwctl token create: what --json tells.
  nlohmann::json invite(const std::string& options);

  Output gwctl(const std::string& words);
  Output gwctl(const Arguments& argv);
  std::string must_gwctl(const std::string& words);  ///< throws when refused
  /// Replaces `rules:` and what follows (the text given to configure), and applies.
  void reconfigure(const std::string& more);

  /// gwctl client add, a new host on the internet, wg-quick up; then waits until the gateway answers a ping.
  Host& enrol(const std::string& name, const std::string& groups);
  Host& attach(const std::string& name);  ///< a host on the internet, no client yet
  void up(const std::string& name);       ///< wg-quick up with the profile DIR/NAME.conf
  std::string address(const std::string& client, int family);

  [[nodiscard]] std::string log() const;  ///< of gatewayd
  /// Waits until `condition` holds, looking again after every change of the log or every 50 ms; false after `limit`.
  static bool eventually(const std::function<bool()>& condition,
                         std::chrono::milliseconds limit = std::chrono::seconds(30));

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string config_directory() const { return directory_ + "/etc"; }
  [[nodiscard]] std::string state_directory() const { return directory_ + "/state"; }
  [[nodiscard]] std::string bus_address() const { return "unix:path=" + directory_ + "/bus"; }
  [[nodiscard]] Arguments daemon_command() const;

 private:
  void start_bus();
  void build_network();

  std::string binaries_;
  std::string directory_;
  bool journal_ = false;
  std::string bpffs_ = "/run/bpf";
  bool trust_clock_ = true;
  std::string daemon_program_ = "gatewayd";
  std::unique_ptr<Host> internet_, gateway_, web_, data_, outside_;
  std::map<std::string, std::unique_ptr<Host>> clients_;
  Process bus_;
  Process daemon_;
  Process enrolment_;
  Process names_;
  int next_client_ = 11;
};

}  // namespace gw::test
