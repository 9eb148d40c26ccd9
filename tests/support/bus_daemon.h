// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace gw::test {

/// A message bus of its own (dbus-daemon) in a temporary directory, that everyone may connect to as on the system bus.
/// Ends with the object. Throws std::runtime_error when it cannot be started.
class BusDaemon {
 public:
  /// `include`: a bus configuration to read after a policy that allows everything, such as
  /// image/dbus/org.gatewayd.conf.
  explicit BusDaemon(const std::string& include = {});
  BusDaemon(const BusDaemon&) = delete;
  BusDaemon& operator=(const BusDaemon&) = delete;
  ~BusDaemon();

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void stop();  ///< as when the bus crashes

 private:
  std::string directory_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace gw::test
