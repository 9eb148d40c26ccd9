// SPDX-License-Identifier: Apache-2.0
#include "netlink/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t and kill
#include <spawn.h>
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

// Sockets and not pipes, so that a child which does not read its input costs an error and not a SIGPIPE.
Result<Pair> make_pair(const std::string& program) {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) return failure(errno, "start", program);
  return Pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
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

// Gives what is taken; false when nothing is left to give, or nobody reads.
bool feed(int fd, std::string_view& input) {
  const ssize_t n = ::send(fd, input.data(), input.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n > 0) input.remove_prefix(static_cast<size_t>(n));
  if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
  return !input.empty();
}

// Serves the three streams until the child has ended, whoever else may hold them; false at the deadline.
bool serve(int child, std::array<Pair, 3>& pairs, std::string_view input, Finished& finished,
           Steady::time_point deadline) {
  UniqueFd& in = pairs[0].ours;
  UniqueFd& out = pairs[1].ours;
  UniqueFd& error = pairs[2].ours;
  if (input.empty()) in.reset();
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 4> fds{
        {{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {error.get(), POLLIN, 0}, {child, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left)) <= 0) continue;
    if (fds[0].revents != 0 && !feed(in.get(), input)) in.reset();
    if (fds[1].revents != 0 && !drain(out.get(), finished.out)) out.reset();
    if (fds[2].revents != 0 && !drain(error.get(), finished.error)) error.reset();
    if (fds[3].revents == 0) continue;
    if (out.valid()) drain(out.get(), finished.out);
    if (error.valid()) drain(error.get(), finished.error);
    return true;
  }
}

}  // namespace

Result<Finished> run_program(const std::vector<std::string>& arguments, std::string_view input,
                             std::chrono::milliseconds limit) {
  if (arguments.empty()) return failure(EINVAL, "start a program", "", "no name given");
  std::array<Pair, 3> pairs;
  for (auto& pair : pairs) {
    auto made = make_pair(arguments[0]);
    if (!made) return std::unexpected(made.error());
    pair = std::move(*made);
  }
  auto& [in, out, error] = pairs;
  const auto deadline = Steady::now() + limit;
  const auto pid = Actions().spawn(arguments, {in.theirs.get(), out.theirs.get(), error.theirs.get()});
  if (!pid) return std::unexpected(pid.error());
  for (auto& pair : pairs) pair.theirs.reset();
  Finished finished;
  // glibc 2.36 declares pidfd_open() without C linkage.
  const UniqueFd child(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  if (!child.valid()) {
    const int code = errno;
    ::kill(*pid, SIGKILL);
    wait_for(*pid);
    return failure(code, "watch", arguments[0]);
  }
  const bool complete = serve(child.get(), pairs, input, finished, deadline);
  if (!complete) ::kill(*pid, SIGKILL);
  finished.status = wait_for(*pid);
  if (!complete) return failure(ETIMEDOUT, "run", arguments[0], finished.error);
  return finished;
}

}  // namespace gw::nl
