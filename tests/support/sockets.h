// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "gatewayd/base/fd.h"
#include "tests/support/host.h"

namespace gw::test {

/// What a client sees when it tries to reach a service.
enum class Reach : uint8_t {
  open,        ///< the other side answered
  refused,     ///< TCP RST or ICMP port unreachable
  prohibited,  ///< ICMP administratively prohibited (EACCES, EHOSTUNREACH)
  silent,      ///< nothing came back in time
};
std::string name_of(Reach reach);
inline std::ostream& operator<<(std::ostream& out, Reach reach) { return out << name_of(reach); }

inline constexpr std::chrono::milliseconds kPatience{5000};  ///< for what should come
inline constexpr std::chrono::milliseconds kSilence{600};    ///< for what should not

/// A TCP connection or listener, or a UDP socket, inside a host's namespace.
class Socket {
 public:
  Socket() = default;
  explicit Socket(UniqueFd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  /// False when the kernel refuses it.
  [[nodiscard]] bool send(const std::string& text, std::chrono::milliseconds limit = kSilence) const;
  /// What arrives within `limit`; nullopt on silence or error; empty at end of stream.
  [[nodiscard]] std::optional<std::string> receive(std::chrono::milliseconds limit = kPatience) const;
  [[nodiscard]] Socket accept(std::chrono::milliseconds limit = kPatience) const;
  void close() { fd_.reset(); }

 private:
  UniqueFd fd_;
};

Socket listen_tcp(const Host& host, const std::string& address, uint16_t port);
/// `source`: address to bind to, also one the host does not have (IP_TRANSPARENT, for spoofing).
Socket connect_tcp(const Host& host, const std::string& address, uint16_t port,
                   std::chrono::milliseconds limit = kPatience, Reach* reach = nullptr, const std::string& source = {});
Socket bind_udp(const Host& host, const std::string& address, uint16_t port);
Socket connect_udp(const Host& host, const std::string& address, uint16_t port, const std::string& source = {});

/// Sends back what it gets, until it is destroyed.
class UdpEcho {
 public:
  UdpEcho(const Host& host, const std::string& address, uint16_t port);

 private:
  Socket socket_;
  std::jthread thread_;
};

Reach try_tcp(const Host& host, const std::string& address, uint16_t port, std::chrono::milliseconds limit = kPatience);
/// Sends datagrams until one is answered (the other side must echo) or time is up.
Reach try_udp(const Host& host, const std::string& address, uint16_t port, std::chrono::milliseconds limit = kPatience);
Reach try_ping(const Host& host, const std::string& address, std::chrono::milliseconds limit = kPatience);

}  // namespace gw::test
