// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "ctl/outcome.h"
#include "gatewayd/base/fd.h"

namespace gw::ctl {

/// A connection to one gatewayd. One thread; calls block.
class Bus {
 public:
  /// The system bus (DBUS_SYSTEM_BUS_ADDRESS is honoured), or with `host` ("user@host") the one of another machine
  /// through ssh(1) and its systemd-stdio-bridge(1). Exit::unreachable when there is no such bus.
  static Outcome<Bus> open(const std::string& host);

  /// Calls a method of org.gatewayd.Manager1 with `arguments` of types `signature` (wire.h) and returns what it
  /// answered, an array. Waits up to two minutes, since applying can take that long on a large configuration.
  /// Exit::unreachable: nobody has the name, or the connection broke (the outcome is then unknown);
  /// Exit::refused: gatewayd's own words.
  Outcome<Json> call(const std::string& method, const std::string& signature, const Json& arguments);

  /// The same for a method that answers with one file descriptor. Exit::usage with a host: none comes through ssh.
  Outcome<UniqueFd> call_for_fd(const std::string& method, const std::string& signature, const Json& arguments);

  struct Close;
  struct Impl;
  Bus(Bus&&) noexcept;
  Bus& operator=(Bus&&) noexcept;
  ~Bus();

 private:
  explicit Bus(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::ctl
