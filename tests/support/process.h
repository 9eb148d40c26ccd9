// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace gw::test {

using Arguments = std::vector<std::string>;

/// What a finished program left.
struct Output {
  int status = -1;  ///< exit code; 128 + signal; -1: killed at the time limit
  std::string out;
  std::string err;
  [[nodiscard]] bool ok() const { return status == 0; }
};

/// A running child. Killed and reaped on destruction.
class Process {
 public:
  Process() = default;
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { end(SIGKILL); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running() const;
  /// Sends `signal`, waits, and returns the exit code as in Output.
  int end(int signal);
  /// Waits without a signal, at most `limit`; -1 when it still runs.
  int wait(std::chrono::milliseconds limit);

 private:
  pid_t pid_ = -1;
};

/// Runs in the child between fork and exec: namespaces, environment.
using Prepare = std::function<void()>;

Output run(const Arguments& argv, std::chrono::milliseconds limit = std::chrono::seconds(30),
           const Prepare& prepare = {}, const std::string& input = {});
/// Starts in the background; stdout and stderr go to `log`.
Process start(const Arguments& argv, const std::string& log, const Prepare& prepare = {});

}  // namespace gw::test
