// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "gatewayd/base/result.h"

namespace gw::nl {

/// Tells that something changed in the kernel: links, addresses, routes and their rules, tc filters (rtnetlink), or
/// nftables. It does not tell what: the reader reads again. Subscribe before the first dump. One thread.
class Monitor {
 public:
  enum class What : uint8_t {
    link,
    address,
    route,
    filter,
    nftables,
    overrun
  };  ///< overrun: ENOBUFS, read everything again

  static Result<Monitor> open();
  Monitor(Monitor&&) noexcept;
  Monitor& operator=(Monitor&&) noexcept;
  ~Monitor();

  [[nodiscard]] int route_fd() const;  ///< poll for reading, then drain()
  [[nodiscard]] int nftables_fd() const;
  /// Reads all that waits, without blocking, and calls back once per kind of change, in the order of What. After an
  /// error what was read before it has been told.
  Result<void> drain(const std::function<void(What)>& handle);

  struct Impl;

 private:
  explicit Monitor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::nl
