// SPDX-License-Identifier: Apache-2.0
#include "tests/support/killed.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace gw::test {
namespace {

[[noreturn]] void refused(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) refused("waitpid");
  }
  return status;
}

pid_t start_traced(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) refused("fork");
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    ::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  if (!WIFSTOPPED(wait_for(child))) refused("ptrace");
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) refused("ptrace");
  return child;
}

bool counts(pid_t child, const std::set<uint64_t>& calls) {
  if (calls.empty()) return true;
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) < 0) refused("ptrace");
  return calls.contains(info.entry.nr);
}

/// True when the child was killed at its n-th call, false when it ended before.
bool kill_at(pid_t child, int n, const std::set<uint64_t>& calls) {
  constexpr int kSystemCallStop = SIGTRAP | 0x80;
  bool entering = false;
  for (int signal = 0, seen = 0;;) {
    if (::ptrace(PTRACE_SYSCALL, child, nullptr, signal) != 0) refused("ptrace");
    const int status = wait_for(child);
    if (!WIFSTOPPED(status)) return false;
    signal = WSTOPSIG(status) == kSystemCallStop ? 0 : WSTOPSIG(status);
    if (signal != 0) continue;
    entering = !entering;
    if (entering && counts(child, calls) && ++seen == n) break;
  }
  ::kill(child, SIGKILL);
  wait_for(child);
  return true;
}

}  // namespace

int kill_at_every_system_call(const std::function<void()>& prepare, const std::function<void()>& work,
                              const std::function<void()>& check, const std::set<uint64_t>& calls) {
  for (int n = 1;; ++n) {
    prepare();
    const bool killed = kill_at(start_traced(work), n, calls);
    check();
    if (!killed) return n - 1;
  }
}

}  // namespace gw::test
