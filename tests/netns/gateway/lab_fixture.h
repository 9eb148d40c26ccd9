// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>

#include "tests/support/lab.h"

namespace gw::test {

inline constexpr const char* kGroups = R"(groups:
  developers: {description: people who ship}
  contractors: {description: people who help}
)";

/// One running gateway with clients alice (developers), bob (contractors) and carol (both), shared by the tests of a
/// suite; each test sets the rules it speaks of.
class RunningGateway : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab_ = std::make_unique<Lab>(GW_BINARY_DIR);
    lab_->configure(kGroups);
    lab_->start();
    lab_->enrol("alice", "developers");
    lab_->enrol("bob", "contractors");
    lab_->enrol("carol", "developers contractors");
  }
  static void TearDownTestSuite() { lab_.reset(); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_->log() << lab_->gwctl("status").out << std::endl;
  }

  static Lab& lab() { return *lab_; }
  static Host& alice() { return lab_->client("alice"); }
  static Host& bob() { return lab_->client("bob"); }
  static Host& carol() { return lab_->client("carol"); }
  static void rules(const std::string& lines) { lab_->reconfigure(std::string(kGroups) + "rules:\n" + lines); }

  inline static std::unique_ptr<Lab> lab_;
};

}  // namespace gw::test
