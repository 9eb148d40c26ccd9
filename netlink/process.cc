// SPDX-License-Identifier: Apache-2.0
#include "netlink/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t and kill
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "gatewayd/base/fd.h"

namespace gw::nl {
namespace {

using Steady = std::chrono::steady_clock;

struct Pair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<Pair> make_pair(const std::string& program) {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) return failure(errno, "start", program);
  return Pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// A file in memory: a pipe would need feeding and could break, and nft opens /dev/stdin, which fails on a socket.
Result<UniqueFd> make_input(std::string_view input, const std::string& program) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd.valid()) return failure(errno, "start", program);
  while (!input.empty()) {
    const ssize_t n = ::write(fd.get(), input.data(), input.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure(errno, "start", program);
    input.remove_prefix(static_cast<size_t>(n));
  }
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return failure(errno, "start", program);
  return fd;
}

class Actions {
 public:
  Actions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  Result<pid_t> spawn(const std::vector<std::string>& arguments, const std::array<int, 3>& fds) {
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions_, fds[static_cast<size_t>(i)], i);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::string locale = "LC_ALL=C";
    std::vector<char*> environment{locale.data()};
    for (char** at = environ; *at != nullptr; ++at) {
      if (std::strncmp(*at, "LC_ALL=", 7) != 0) environment.push_back(*at);
    }
    environment.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environment.data());
    if (error != 0) {
      return failure(error, "start", arguments[0], error == ENOENT ? "the program is not installed" : "");
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Takes what there is now; false at the end of the stream.
bool drain(int fd, std::string& into) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 && errno == EAGAIN;
    into.append(buffer.data(), static_cast<size_t>(n));
  }
}

// Serves both outputs until the child has ended, whoever else may hold them; false at the deadline.
bool serve(int child, Pair& out, Pair& error, Finished& finished, Steady::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 3> fds{{{out.ours.get(), POLLIN, 0}, {error.ours.get(), POLLIN, 0}, {child, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left)) <= 0) continue;
    const bool ended = fds[2].revents != 0;
    if ((ended || fds[0].revents != 0) && out.ours.valid() && !drain(out.ours.get(), finished.out)) out.ours.reset();
    if ((ended || fds[1].revents != 0) && error.ours.valid() && !drain(error.ours.get(), finished.error))
      error.ours.reset();
    if (ended) return true;
  }
}

}  // namespace

Result<Finished> run_program(const std::vector<std::string>& arguments, std::string_view input,
                             std::chrono::milliseconds limit) {
  if (arguments.empty()) return failure(EINVAL, "start a program", "", "no name given");
  const auto in = make_input(input, arguments[0]);
  if (!in) return std::unexpected(in.error());
  auto out = make_pair(arguments[0]);
  auto error = make_pair(arguments[0]);
  if (!out || !error) return std::unexpected(out ? error.error() : out.error());
  const auto deadline = Steady::now() + limit;
  const auto pid = Actions().spawn(arguments, {in->get(), out->theirs.get(), error->theirs.get()});
  if (!pid) return std::unexpected(pid.error());
  out->theirs.reset();
  error->theirs.reset();
  Finished finished;
  // glibc 2.36 declares pidfd_open() without C linkage.
  const UniqueFd child(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  if (!child.valid()) {
    const int code = errno;
    ::kill(*pid, SIGKILL);
    wait_for(*pid);
    return failure(code, "watch", arguments[0]);
  }
  const bool complete = serve(child.get(), *out, *error, finished, deadline);
  if (!complete) ::kill(*pid, SIGKILL);
  finished.status = wait_for(*pid);
  if (!complete) return failure(ETIMEDOUT, "run", arguments[0], finished.error);
  return finished;
}

}  // namespace gw::nl
