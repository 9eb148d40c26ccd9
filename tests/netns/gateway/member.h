// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "ctl/connect/store.h"
#include "tests/support/lab.h"

namespace gw::test {

/// A host on the lab's internet that is a member of networks by gwconnect, with a state of its own.
class Member {
 public:
  Member(Lab& lab, std::string name);

  [[nodiscard]] Host& host() const { return lab_.client(name_); }
  [[nodiscard]] const std::string& state() const { return state_; }

  /// NAME=VALUE, for what runs from now on.
  void set_environment(Arguments variables) { environment_ = std::move(variables); }
  [[nodiscard]] Output gwconnect(const std::string& words) const;
  std::string must(const std::string& words) const;  ///< throws when refused
  /// `status --json`, one entry a network.
  [[nodiscard]] nlohmann::json status() const;

  /// `gwconnect run`.
  void start(const std::string& options = {});
  void end(int signal) { service_.end(signal); }
  [[nodiscard]] bool running() const { return service_.running(); }
  [[nodiscard]] std::string log() const;

  /// Makes it a member of the lab's gateway by way of `gwctl client add`, without an enrolment; `more` are options of
  /// that. Again for a second membership, as a second client NAME-1 with device gw1.
  connect::Network provision(const std::string& more, bool fail_closed);

  /// Waits until the gateway's inner address answers.
  [[nodiscard]] bool reaches(const std::string& address) const;

 private:
  Lab& lab_;
  std::string name_;
  std::string state_;
  [[nodiscard]] Arguments command(const std::string& words) const;

  Arguments environment_;
  uint32_t memberships_ = 0;
  Process service_;
};

}  // namespace gw::test
