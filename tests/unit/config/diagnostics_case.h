// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gatewayd/config/load.h"

namespace gw::config {

/// What an operator wrote, and what is said about it, each line without the file's name.
struct Case {
  const char* about;
  std::string text;
  std::vector<std::string> expected;
};

/// What every configuration needs: two lines.
inline const std::string kBase =
    "gateway: {public: {interface: eth0}}\n"
    "vpn: {subnets: [172.16.201.0/24]}\n";

inline void check(const std::vector<Case>& cases) {
  constexpr const char* kFile = "gateway.yaml:";
  for (const auto& [about, text, expected] : cases) {
    std::vector<std::string> found;
    for (const Diagnostic& diagnostic : load({{"gateway.yaml", text}}).diagnostics) {
      ASSERT_TRUE(diagnostic.str().starts_with(kFile)) << about;
      found.push_back(diagnostic.str().substr(std::string(kFile).size()));
    }
    EXPECT_EQ(found, expected) << about << ":\n" << text;
  }
}

}  // namespace gw::config
