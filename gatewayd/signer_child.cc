// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/signer_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace gw {
namespace {

constexpr const char* kStart = "start gatewayd-signer";

/// Beside this program, as it is built, or where it is installed.
std::string program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = self.parent_path() / "gatewayd-signer";
  return !error && ::access(beside.c_str(), X_OK) == 0 ? beside : "/usr/libexec/gatewayd/gatewayd-signer";
}

/// In the child: hands the socket over as sd_listen_fds(3) wants it, and becomes the program.
[[noreturn]] void become(const std::string& path, const std::string& directory, int listening) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // dup2 to itself would leave it to be closed.
  const int handed =
      listening == SD_LISTEN_FDS_START ? ::fcntl(listening, F_SETFD, 0) : ::dup2(listening, SD_LISTEN_FDS_START);
  if (handed < 0) ::_exit(1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  ::execl(path.c_str(), "gatewayd-signer", "--directory", directory.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

SignerChild::~SignerChild() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

Result<void> SignerChild::open(const std::string& socket, const std::string& directory) {
  directory_ = directory;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, kStart, socket);
  std::memcpy(address.sun_path, socket.data(), socket.size());
  listening_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listening_.valid()) return failure(errno, kStart, socket);
  ::unlink(socket.c_str());
  const mode_t before = ::umask(0077);
  const int bound = ::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) return failure(error, kStart, socket);
  constexpr int kBacklog = 16;
  if (::listen(listening_.get(), kBacklog) != 0) return failure(errno, kStart, socket);
  return {};
}

Result<void> SignerChild::ready() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) return {};
  const std::string path = program();
  if (::access(path.c_str(), X_OK) != 0) return failure(errno, kStart, path);
  pid_ = ::fork();
  if (pid_ == 0) become(path, directory_, listening_.get());
  if (pid_ < 0) return failure(errno, kStart, path);
  return {};
}

}  // namespace gw
