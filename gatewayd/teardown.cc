// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "gatewayd/apply/executor.h"
#include "gatewayd/apply/linux_kernel.h"
#include "gatewayd/apply/linux_sysctl.h"
#include "gatewayd/daemon.h"

namespace gw {
namespace {

constexpr const char* kOperation = "take away what gatewayd made";

/// Everything that observe() finds to be ours goes; what could not is told. The network is closed until the frame goes,
/// last of all.
Result<size_t> remove_objects(const DaemonOptions& options, const std::string& run_directory) {
  const SystemClock clock;
  auto kernel = apply::LinuxKernel::open({options.instance, run_directory, options.bpffs}, clock);
  if (!kernel) return std::unexpected(kernel.error());
  const plan::Desired nothing;
  const auto observed = (*kernel)->observe(nothing);
  if (!observed) return std::unexpected(observed.error());
  const apply::Execution done = apply::execute(**kernel, plan::diff(nothing, *observed), nothing, SecretKey());
  for (const std::string& line : done.done) std::printf("gatewayd: done: %s\n", line.c_str());
  if (!done.errors.empty()) return std::unexpected(done.errors.front());
  return done.done.size();
}

Result<void> remove_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? failure(error.value(), kOperation, path) : Result<void>();
}

Result<size_t> tear_down_all(const DaemonOptions& options) {
  const std::string run_directory = options.run + "/" + options.instance;
  const auto lock = lock_instance(run_directory, options.instance);
  if (!lock) return std::unexpected(lock.error());
  // First: what the frame and the programs held back must not pass once they are gone.
  if (auto closed = apply::stop_forwarding(); !closed) return std::unexpected(closed.error());
  auto removed = remove_objects(options, run_directory);
  if (!removed) return removed;
  if (auto gone = remove_directory(options.bpffs + "/" + options.instance); !gone) return std::unexpected(gone.error());
  if (auto gone = remove_directory(run_directory); !gone) return std::unexpected(gone.error());
  return removed;
}

}  // namespace

int tear_down(const DaemonOptions& options) {
  const auto removed = tear_down_all(options);
  if (!removed) {
    std::fprintf(stderr, "gatewayd: %s\n", removed.error().message().c_str());
    return 1;
  }
  std::printf("gatewayd: nothing of it is left in the kernel (%zu operations); forwarding is off\n", *removed);
  return 0;
}

}  // namespace gw
