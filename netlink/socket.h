// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gatewayd/base/result.h"

namespace gw::nl {

/// A netlink socket of one protocol (NETLINK_ROUTE, NETLINK_GENERIC) in the network namespace of the opening thread,
/// with extended acks and strict checking of dump requests switched on. Errors that come through it keep the kernel's
/// raw errno and text. One request at a time, one thread. Movable; closed with the object.
class Socket {
 public:
  static Result<Socket> open(int protocol);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  struct Impl;
  [[nodiscard]] Impl& impl() const { return *impl_; }  ///< for this layer only

 private:
  explicit Socket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::nl
