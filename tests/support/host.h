// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace gw::test {

/// A machine of a test network: a network namespace and a mount namespace of its own, with a private /run/wireguard and
/// an empty bpffs at /run/bpf. They live as long as this object and vanish with the test program, however it ends.
class Host {
 public:
  explicit Host(std::string name);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] pid_t pid() const { return holder_.pid(); }

  /// Runs a program here.
  Output run(const Arguments& argv, std::chrono::milliseconds limit = std::chrono::seconds(30)) const;
  /// The same, and throws with its output when it fails: for setting a scene.
  std::string must(const Arguments& argv) const;
  /// Words split at blanks: `must("ip link set lo up")`.
  std::string must(const std::string& words) const;
  /// Several commands of ip(8) by one run of it: starting a program is what costs on an emulated machine.
  void ip(const std::vector<std::string>& commands) const;
  [[nodiscard]] Process start(const Arguments& argv, const std::string& log, const Prepare& more = {}) const;
  /// For a program with threads, which a process that has entered a process namespace may not make (clone(2), EINVAL):
  /// what it starts is left behind when the test program is killed.
  [[nodiscard]] Process start_threaded(const Arguments& argv, const std::string& log) const;
  /// Calls `work` in a thread inside the network namespace and waits: sockets made there stay there.
  void in(const std::function<void()>& work) const;

 private:
  [[nodiscard]] Prepare enter(const Prepare& more = {}, bool threads = false) const;
  std::string name_;
  Process holder_;
};

/// A veth pair between two hosts, both ends up.
void connect(const Host& a, const std::string& device_a, const Host& b, const std::string& device_b);

Arguments words(const std::string& text);

}  // namespace gw::test
