// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/bus_daemon.h"
#include "tests/support/lab.h"

namespace gw::test {

/// Another whole gateway on the lab's internet, with one subnet (`lan`) of one host.
class Branch {
 public:
  /// `net`: the first three numbers of the subnet; `address`: the public one; `more`: as for `configure`.
  Branch(Lab& middle, std::string name, std::string net, std::string address, const std::string& more = {});
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;
  ~Branch();

  [[nodiscard]] std::string host() const { return net_ + ".10"; }
  [[nodiscard]] std::string prefix() const { return net_ + ".0/24"; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const Host& machine() const { return host_; }
  [[nodiscard]] const Host& gateway() const { return gateway_; }
  [[nodiscard]] std::string public_key() const;

  /// Writes the configuration: what this class makes of it, then `more` (groups, rules …).
  void configure(const std::string& more);
  std::string gwctl(const std::string& line) const;  ///< throws when refused
  /// gatewayd-enroll on the public address, port 443; returns when it serves.
  void start_enrolment();

 private:
  [[nodiscard]] std::string directory() const { return middle_.directory() + "/" + name_; }
  [[nodiscard]] Process start_program(const Arguments& command, const std::string& log) const;
  void start();

  Lab& middle_;
  std::string name_, net_, address_;
  BusDaemon bus_;
  Host gateway_, host_;
  Process daemon_, enrolment_;
};

}  // namespace gw::test
