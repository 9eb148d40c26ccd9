// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "gatewayd/config/load.h"
#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

struct Pair {
  std::string earlier;
  std::string later;
  bool shadowed;
};

bool is_shadowed(const Pair& pair) {
  const Loaded loaded =
      load({{"gateway.yaml", kBase +
                                 "groups: {dev: , ops: }\n"
                                 "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
                                 "rules:\n- {name: earlier, action: deny, " +
                                 pair.earlier + "}\n- {name: later, action: allow, " + pair.later + "}\n"}});
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    EXPECT_NE(diagnostic.text.find("rule 'later' never matches: 'earlier' at gateway.yaml:6:3"), std::string::npos)
        << diagnostic.str();
    EXPECT_EQ(diagnostic.origin.line, 7);
  }
  return !loaded.ok();
}

TEST(Shadow, IsReportedWhenSourceDestinationAndServiceAreAllCovered) {
  const Pair pairs[] = {
      {"from: any, to: any", "from: vpn, to: subnet:web", true},
      {"from: vpn, to: any", "from: [group:dev, client:x], to: internet, services: https", true},
      {"from: [group:dev, group:ops], to: subnet:web", "from: [group:ops, group:dev], to: subnet:web", true},
      {"from: group:dev, to: subnet:web", "from: [group:ops, group:dev], to: subnet:web", false},
      {"from: vpn, to: subnet:web, services: [http, https]", "from: vpn, to: subnet:web, services: tcp/443", true},
      {"from: vpn, to: subnet:web, services: [http, https]", "from: vpn, to: subnet:web", false},
      {"from: vpn, to: subnet:web", "from: vpn, to: [subnet:web, internet]", false},
      {"from: 10.1.0.0/16, to: internet", "from: subnet:web, to: internet", true},
      {"from: subnet:web, to: internet", "from: 10.1.1.7, to: internet", true},
      {"from: any, to: any", "from: vpn, to: 169.254.169.254", false},
      {"from: group:dev, to: any", "from: vpn, to: any", false},
      {"from: internet, to: gateway", "from: internet, to: gateway", true},
  };
  for (const Pair& pair : pairs) EXPECT_EQ(is_shadowed(pair), pair.shadowed) << pair.earlier << " | " << pair.later;
}

TEST(Shadow, OfABuiltInRuleIsTheOperatorsRight) {
  EXPECT_TRUE(load({{"gateway.yaml", kBase + "rules: [{name: quiet, action: deny, from: any, to: any}]\n"}}).ok());
}

}  // namespace
}  // namespace gw::config
