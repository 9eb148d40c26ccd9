// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace gw::test {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address address_of(const std::string& text, uint16_t port) {
  Address out;
  auto* four = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    out.size = sizeof *four;
  } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    out.size = sizeof *six;
  } else {
    throw std::runtime_error("not an address: " + text);
  }
  return out;
}

UniqueFd make_socket(const Host& host, const Address& like, int type, const std::string& source, uint16_t source_port) {
  UniqueFd fd;
  host.in([&] {
    fd.reset(socket(like.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) throw std::runtime_error("socket");
    const int one = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (like.storage.ss_family == AF_INET) {
      setsockopt(fd.get(), IPPROTO_IP, IP_TRANSPARENT, &one, sizeof one);
    } else {
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof one);
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    }
    if (source.empty()) return;
    const Address local = address_of(source, source_port);
    if (bind(fd.get(), local.get(), local.size) != 0)
      throw std::runtime_error("bind " + source + ": " + std::strerror(errno));
  });
  return fd;
}

bool ready(int fd, short events, std::chrono::milliseconds limit) {
  pollfd wanted{fd, events, 0};
  return poll(&wanted, 1, static_cast<int>(limit.count())) == 1;
}

Reach reach_of(int error) {
  switch (error) {
    case 0:
      return Reach::open;
    case ECONNREFUSED:
    case ECONNRESET:
      return Reach::refused;
    case EACCES:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:
      return Reach::prohibited;
    default:
      return Reach::silent;
  }
}

}  // namespace

std::string name_of(Reach reach) {
  switch (reach) {
    case Reach::open:
      return "open";
    case Reach::refused:
      return "refused";
    case Reach::prohibited:
      return "prohibited";
    case Reach::silent:
      return "silent";
  }
  return "?";
}

bool Socket::send(const std::string& text, std::chrono::milliseconds limit) const {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::send(fd(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN && ready(fd(), POLLOUT, limit)) continue;
    if (n < 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

std::optional<std::string> Socket::receive(std::chrono::milliseconds limit) const {
  if (!ready(fd(), POLLIN, limit)) return std::nullopt;
  char buffer[65536];
  const ssize_t n = recv(fd(), buffer, sizeof buffer, 0);
  if (n < 0) return std::nullopt;
  return std::string(buffer, static_cast<size_t>(n));
}

Socket Socket::accept(std::chrono::milliseconds limit) const {
  if (!ready(fd(), POLLIN, limit)) return {};
  return Socket(UniqueFd(accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)));
}

Socket listen_tcp(const Host& host, const std::string& address, uint16_t port) {
  UniqueFd fd = make_socket(host, address_of(address, port), SOCK_STREAM, address, port);
  if (listen(fd.get(), 64) != 0) throw std::runtime_error("listen on " + address + ": " + std::strerror(errno));
  return Socket(std::move(fd));
}

Socket connect_tcp(const Host& host, const std::string& address, uint16_t port, std::chrono::milliseconds limit,
                   Reach* reach, const std::string& source) {
  const Address target = address_of(address, port);
  UniqueFd fd = make_socket(host, target, SOCK_STREAM, source, 0);
  int error = connect(fd.get(), target.get(), target.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    error = ETIMEDOUT;
    if (ready(fd.get(), POLLOUT, limit)) {
      socklen_t size = sizeof error;
      getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (reach != nullptr) *reach = reach_of(error);
  return error == 0 ? Socket(std::move(fd)) : Socket();
}

Socket bind_udp(const Host& host, const std::string& address, uint16_t port) {
  return Socket(make_socket(host, address_of(address, port), SOCK_DGRAM, address, port));
}

Socket connect_udp(const Host& host, const std::string& address, uint16_t port, const std::string& source) {
  const Address target = address_of(address, port);
  UniqueFd fd = make_socket(host, target, SOCK_DGRAM, source, 0);
  if (connect(fd.get(), target.get(), target.size) != 0)
    throw std::runtime_error("connect " + address + ": " + std::strerror(errno));
  return Socket(std::move(fd));
}

Reach try_tcp(const Host& host, const std::string& address, uint16_t port, std::chrono::milliseconds limit) {
  Reach reach = Reach::silent;
  connect_tcp(host, address, port, limit, &reach);
  return reach;
}

Reach try_udp(const Host& host, const std::string& address, uint16_t port, std::chrono::milliseconds limit) {
  const Socket socket = connect_udp(host, address, port);
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    if (::send(socket.fd(), "ping", 4, MSG_NOSIGNAL) < 0) return reach_of(errno);
    if (!ready(socket.fd(), POLLIN, std::chrono::milliseconds(200))) continue;
    char buffer[64];
    return recv(socket.fd(), buffer, sizeof buffer, 0) < 0 ? reach_of(errno) : Reach::open;
  }
  return Reach::silent;
}

UdpEcho::UdpEcho(const Host& host, const std::string& address, uint16_t port)
    : socket_(bind_udp(host, address, port)), thread_([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          if (!ready(socket_.fd(), POLLIN, std::chrono::milliseconds(50))) continue;
          char buffer[2048];
          Address peer;
          peer.size = sizeof peer.storage;
          auto* from = reinterpret_cast<sockaddr*>(&peer.storage);
          const ssize_t n = recvfrom(socket_.fd(), buffer, sizeof buffer, 0, from, &peer.size);
          if (n >= 0) sendto(socket_.fd(), buffer, static_cast<size_t>(n), MSG_NOSIGNAL, from, peer.size);
        }
      }) {}

Reach try_ping(const Host& host, const std::string& address, std::chrono::milliseconds limit) {
  const auto seconds = std::to_string(static_cast<double>(limit.count()) / 1000.0);
  const Output output =
      host.run({"ping", "-n", "-c", "1", "-W", seconds, "-w", std::to_string(limit.count() / 1000 + 1), address});
  if (output.ok()) return Reach::open;
  return output.out.find("rohibited") != std::string::npos || output.out.find("filtered") != std::string::npos
             ? Reach::prohibited
             : Reach::silent;
}

}  // namespace gw::test
