// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "gatewayd/base/fd.h"

namespace gw::test {
namespace {

using Milliseconds = std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int left_until(SteadyClock::time_point end) {
  const auto left = std::chrono::duration_cast<Milliseconds>(end - SteadyClock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

[[noreturn]] void become(const Arguments& argv, const Prepare& prepare) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (prepare) prepare();
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (const auto& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  dprintf(STDERR_FILENO, "cannot run %s: %m\n", argv[0].c_str());
  _exit(127);
}

UniqueFd handle_of(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

/// Takes what waits in the pipe; false at its end.
bool take(int fd, std::string& text) {
  char buffer[16384];
  const ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0) text.append(buffer, static_cast<size_t>(n));
  return n > 0;
}

/// Reads both pipes until the program has ended (a daemon that it left behind may hold them open) or the time is up.
void collect(pid_t pid, int out, int err, Output& result, SteadyClock::time_point end) {
  const UniqueFd handle = handle_of(pid);
  std::array<pollfd, 3> fds{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}, pollfd{handle.get(), POLLIN, 0}};
  std::array<std::string*, 2> texts{&result.out, &result.err};
  for (;;) {
    const bool ended = fds[2].revents != 0;
    if (poll(fds.data(), fds.size(), ended ? 0 : left_until(end)) == 0) return;
    bool read_some = false;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      read_some = take(fds[i].fd, *texts[i]);
      if (!read_some) fds[i].fd = -1;
    }
    if (ended && !read_some) return;
  }
}

struct Pipe {
  UniqueFd read_end, write_end;
  Pipe() {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_end.reset(fds[0]);
    write_end.reset(fds[1]);
  }
};

}  // namespace

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    end(SIGKILL);
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

bool Process::running() const {
  if (pid_ <= 0) return false;
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

int Process::end(int signal) {
  if (pid_ <= 0) return -1;
  kill(pid_, signal);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return exit_code(status);
}

int Process::wait(Milliseconds limit) {
  if (pid_ <= 0) return -1;
  const UniqueFd handle = handle_of(pid_);
  pollfd fd{handle.get(), POLLIN, 0};
  if (poll(&fd, 1, static_cast<int>(limit.count())) != 1) return -1;
  return end(0);
}

Output run(const Arguments& argv, Milliseconds limit, const Prepare& prepare, const std::string& input) {
  const auto end = SteadyClock::now() + limit;
  Pipe out;
  Pipe err;
  Pipe in;
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(in.read_end.get(), STDIN_FILENO);
    dup2(out.write_end.get(), STDOUT_FILENO);
    dup2(err.write_end.get(), STDERR_FILENO);
    become(argv, prepare);
  }
  Process process(pid);
  out.write_end.reset();
  err.write_end.reset();
  in.read_end.reset();
  if (!input.empty() && write(in.write_end.get(), input.data(), input.size()) < 0) throw std::runtime_error("write");
  in.write_end.reset();
  Output result;
  collect(pid, out.read_end.get(), err.read_end.get(), result, end);
  result.status = process.wait(Milliseconds(left_until(end)));
  if (result.status == -1) result.err += "\n[killed after the time limit]";
  return result;
}

Process start(const Arguments& argv, const std::string& log, const Prepare& prepare) {
  const UniqueFd file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(null.get(), STDIN_FILENO);
    dup2(file.get(), STDOUT_FILENO);
    dup2(file.get(), STDERR_FILENO);
    become(argv, prepare);
  }
  return Process(pid);
}

}  // namespace gw::test
