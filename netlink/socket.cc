// SPDX-License-Identifier: Apache-2.0
#include "netlink/socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "netlink/socket_impl.h"

namespace gw::nl {
namespace {

// The kernel sizes a dump's datagrams by the buffer it sees, up to 32 KiB.
constexpr size_t kBufferSize = size_t{64} << 10U;

void enable(int fd, int option) {
  const int on = 1;
  // Older kernels lack some of these; then errors have less text and dumps are filtered here only.
  (void)::setsockopt(fd, SOL_NETLINK, option, &on, sizeof on);
}

}  // namespace

Socket::Socket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
Socket::~Socket() = default;

Result<Socket> Socket::open(int protocol) {
  const auto fail = [&] { return failure(errno, "open netlink socket", "of protocol " + std::to_string(protocol)); };
  auto impl = std::make_unique<Impl>();
  impl->fd.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!impl->fd.valid()) return fail();
  const int fd = impl->fd.get();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) return fail();
  impl->port = address.nl_pid;
  enable(fd, NETLINK_EXT_ACK);
  enable(fd, NETLINK_CAP_ACK);
  enable(fd, NETLINK_GET_STRICT_CHK);
  impl->buffer.resize(kBufferSize);
  return Socket(std::move(impl));
}

}  // namespace gw::nl
