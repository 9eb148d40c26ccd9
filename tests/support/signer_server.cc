// SPDX-License-Identifier: Apache-2.0
#include "tests/support/signer_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace gw::test {
namespace {

constexpr int kHandedOver = 3;  // sd_listen_fds(3)

int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 16) != 0)
    throw std::runtime_error("cannot listen at " + path);
  return fd;
}

}  // namespace

SignerServer::SignerServer(const std::string& binaries, const std::string& directory) : socket_(directory + ".socket") {
  const int fd = listen_at(socket_);
  process_ = start(
      {"sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh", binaries + "/gatewayd-signer", "--directory", directory},
      directory + ".log", [fd] {
        ::dup2(fd, kHandedOver);
        ::fcntl(kHandedOver, F_SETFD, 0);  // where it was there already
        ::setenv("LISTEN_FDS", "1", 1);
      });
  ::close(fd);
}

}  // namespace gw::test
