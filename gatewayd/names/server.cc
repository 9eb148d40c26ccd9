// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/names/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "gatewayd/base/file.h"
#include "gatewayd/names/directory.h"

namespace gw::names {
namespace {

constexpr int kLookAgainMs = 1000;  // for a directory that is not there yet
constexpr int kEndMs = 5000;        // before dnsmasq is killed
constexpr int kNotFound = 127;      // what a shell would say

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&set, number);
  return set;
}

/// In the child: never returns.
[[noreturn]] void become(const std::string& program, const std::string& file) {
  const sigset_t set = our_signals();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  const std::string argument = "--conf-file=" + file;
  // As root it would become another user, who may not read where tests write; a service has its own user already.
  const char* user = geteuid() == 0 ? "--user=root" : nullptr;
  const char* argv[] = {program.c_str(), "--keep-in-foreground", argument.c_str(), user, nullptr};
  execvp(program.c_str(), const_cast<char**>(argv));
  _exit(kNotFound);
}

bool is_missing(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == kNotFound; }

std::string ending(int status) {
  if (is_missing(status)) return "it is not installed (package dnsmasq-base)";
  if (WIFSIGNALED(status)) return "it was ended by signal " + std::to_string(WTERMSIG(status));
  return "it ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<Server> Server::open(std::string directory, std::string program) {
  const sigset_t set = our_signals();
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return failure(errno, "block signals");
  UniqueFd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify.valid()) return failure(errno, "watch", directory);
  UniqueFd signals(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals.valid()) return failure(errno, "receive signals");
  return Server(std::move(directory), std::move(program), std::move(inotify), std::move(signals));
}

Server::Server(std::string directory, std::string program, UniqueFd inotify, UniqueFd signals)
    : directory_(std::move(directory)),
      program_(std::move(program)),
      inotify_(std::move(inotify)),
      signals_(std::move(signals)) {}

Server::Server(Server&& other) noexcept
    : directory_(std::move(other.directory_)),
      program_(std::move(other.program_)),
      inotify_(std::move(other.inotify_)),
      signals_(std::move(other.signals_)),
      watch_(other.watch_),
      child_(std::exchange(other.child_, -1)),
      running_(std::move(other.running_)) {}

Server::~Server() { stop(); }

// Before each look, so that no change after it is missed. Adding it again is the same watch, or that of a new directory
// of the same name.
void Server::watch() {
  watch_ = inotify_add_watch(inotify_.get(), directory_.c_str(),
                             IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR);
  alignas(inotify_event) std::array<char, 4096> events{};
  while (read(inotify_.get(), events.data(), events.size()) > 0) {
    // What happened does not matter: the file is read, and compared.
  }
}

std::string Server::wanted() const { return read_file(directory_ + kServerFile).value_or(""); }

Result<void> Server::start() {
  const pid_t child = fork();
  if (child < 0) return failure(errno, "start", program_);
  if (child == 0) become(program_, directory_ + kServerFile);
  child_ = child;
  std::printf("gatewayd-names: serving names\n");
  return {};
}

void Server::stop() {
  if (child_ < 0) return;
  kill(child_, SIGTERM);
  const sigset_t child_ended = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return set;
  }();
  const timespec limit{.tv_sec = kEndMs / 1000, .tv_nsec = 0};
  while (waitpid(child_, nullptr, WNOHANG) == 0) {
    if (sigtimedwait(&child_ended, nullptr, &limit) > 0 || errno != EAGAIN) continue;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    break;
  }
  child_ = -1;
}

Result<void> Server::follow() {
  watch();
  const std::string now = wanted();
  if (now == running_) return {};
  stop();
  running_ = now;
  if (!now.empty()) return start();
  std::printf("gatewayd-names: no names to serve\n");
  return {};
}

// True when it is time to end.
Result<bool> Server::take_signals() {
  bool end = false;
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    end = end || info.ssi_signo != SIGCHLD;
  }
  int status = 0;
  if (child_ >= 0 && waitpid(child_, &status, WNOHANG) == child_) {
    child_ = -1;
    if (!end) return failure(is_missing(status) ? ENOENT : EIO, "serve names by", program_, ending(status));
  }
  return end;
}

Result<void> Server::run() {
  for (;;) {
    if (auto followed = follow(); !followed) return followed;
    const auto end = take_signals();
    if (!end) return std::unexpected(end.error());
    if (*end) return {};
    std::array<pollfd, 2> wanted = {{{inotify_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    (void)poll(wanted.data(), wanted.size(), watch_ < 0 ? kLookAgainMs : -1);
  }
}

}  // namespace gw::names
