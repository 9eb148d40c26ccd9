// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gatewayd/base/result.h"

struct nl_sock;
struct nl_msg;

namespace gw::nl {

/// A libnl socket of one protocol (NETLINK_ROUTE, NETLINK_GENERIC) in the network namespace of the opening thread. Keeps
/// the kernel's raw errno and extended-ack text, which libnl folds. One thread. Movable.
class Socket {
 public:
  static Result<Socket> open(int protocol);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  [[nodiscard]] nl_sock* get() const;
  struct Impl;
  [[nodiscard]] Impl& impl() const { return *impl_; }

 private:
  explicit Socket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::nl
