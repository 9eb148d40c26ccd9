// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/bus_daemon.h"
#include "tests/support/process.h"
#include "tests/unit/ctl/fake_gatewayd.h"

namespace gw::ctl::test {

using nlohmann::json;

/// The real gwctl, run as a program of its own against a recorded gatewayd on a private bus, in an empty directory.
class Gwctl : public testing::Test {
 protected:
  Gwctl();
  ~Gwctl() override;

  /// gwctl with `arguments`, in directory().
  gw::test::Output gwctl(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment = {}) const;
  /// Its standard output; a test failure when it is refused.
  std::string told(const std::vector<std::string>& arguments) const;
  /// The only call of `method`; a test failure when there is not exactly one.
  json arguments_of(const std::string& method);

  FakeGatewayd& gateway() { return *gateway_; }
  gw::test::BusDaemon& bus() { return bus_; }
  void gateway_goes() { gateway_.reset(); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] bool exists(const std::string& file) const { return std::filesystem::exists(directory_ / file); }
  [[nodiscard]] std::string content(const std::string& file) const;

 private:
  gw::test::BusDaemon bus_;
  std::optional<FakeGatewayd> gateway_;
  std::filesystem::path directory_;
};

/// tests/unit/ctl/recorded/NAME.json: a dictionary as gatewayd sends it. A text "@-180" stands for the time 180 s
/// before now.
json recorded(const std::string& name);

}  // namespace gw::ctl::test
