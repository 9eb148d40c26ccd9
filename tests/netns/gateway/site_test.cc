// SPDX-License-Identifier: Apache-2.0
// Three gateways, joined site to site: in the middle the lab's, beside it two more with a network each.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "tests/netns/gateway/branch.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

class Sites : public testing::Test {
 protected:
  Sites() {
    lab_.configure(kGroups);
    lab_.start();
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << lab_.gwctl("site list").out << std::endl;
  }
  std::string public_key() {
    return nlohmann::json::parse(lab_.must_gwctl("--json status")).at("public_key").get<std::string>();
  }
  /// The branch calls, or waits to be called.
  void join(Branch& branch, const std::string& name, bool branch_calls, const std::string& behind) {
    lab_.must_gwctl(fmt::format("site add {} --public-key {} --prefix {}{}", name, branch.public_key(), branch.prefix(),
                                branch_calls ? "" : " --endpoint " + branch.address() + ":51820"));
    branch.gwctl(fmt::format("site add middle --public-key {} --prefix 10.1.1.0/24 --prefix {}{}", public_key(), behind,
                             branch_calls ? " --endpoint 5.5.5.1:51820 --keepalive 25" : ""));
  }
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Sites, ThreeGatewaysJoinedReachWhatTheRulesSay) {
  Branch north(lab_, "north", "10.2.1", "5.5.5.30");
  Branch south(lab_, "south", "10.3.1", "5.5.5.40");
  join(north, "north", true, south.prefix());
  join(south, "south", false, north.prefix());
  // Both ends decide: the branches let everything in from the middle, the middle names what may pass.
  for (const Branch* branch : {&north, &south}) {
    branch->gwctl("rule add in --action allow --from site:middle --to subnet:lan");
    branch->gwctl("rule add out --action allow --from subnet:lan --to site:middle --apply");
  }
  lab_.must_gwctl("apply");
  EXPECT_EQ(try_ping(north.machine(), "10.1.1.10", kSilence), Reach::silent) << "no rule allows a site anything";

  lab_.must_gwctl("rule add north-web --action allow --from site:north --to subnet:web");
  lab_.must_gwctl("rule add through --action allow --from site:north --to site:south --apply");
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(north.machine(), "10.1.1.10") == Reach::open; }));
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(north.machine(), south.host()) == Reach::open; }))
      << "one site reaches another through the middle";
  EXPECT_EQ(try_ping(south.machine(), north.host(), kSilence), Reach::silent) << "and not the other way round";
  EXPECT_EQ(try_ping(south.machine(), "10.1.1.10", kSilence), Reach::silent);

  const auto sites = nlohmann::json::parse(lab_.must_gwctl("--json site list"));
  ASSERT_EQ(sites.size(), 2U);
  EXPECT_EQ(sites[0].at("endpoint_now"), "5.5.5.30:51820") << "it called, and is known since";
  EXPECT_TRUE(sites[0].at("online") && sites[1].at("online"));

  lab_.must_gwctl("rule remove through --apply");
  EXPECT_EQ(try_ping(north.machine(), south.host(), kSilence), Reach::silent);
  EXPECT_EQ(lab_.gwctl("site remove north").status, 1) << "a rule names it";
  lab_.must_gwctl("rule remove north-web");
  lab_.must_gwctl("site remove north --apply");
  EXPECT_EQ(try_ping(north.machine(), "10.1.1.10", kSilence), Reach::silent);
}

TEST_F(Sites, WhosePrefixesOverlapAreRefusedWithBothNames) {
  const std::string key = "eZTWiQiZb62dRE+7aGKN5V5bZc+wPPIZx1r/r+dB4Fk=";
  lab_.must_gwctl("site add north --public-key " + key + " --prefix 10.2.0.0/16");
  const Output again =
      lab_.gwctl("site add south --public-key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= --prefix 10.2.3.0/24");
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("north"), std::string::npos) << again.err;
  EXPECT_NE(again.err.find("south"), std::string::npos) << again.err;
  const Output subnet = lab_.gwctl("site add west --public-key " + key + " --prefix 10.1.1.0/25");
  EXPECT_EQ(subnet.status, 1);
  EXPECT_NE(subnet.err.find("'web'"), std::string::npos) << subnet.err;
  EXPECT_EQ(lab_.gwctl("site add west --public-key short --prefix 10.9.0.0/16").status, 2);
}

}  // namespace
}  // namespace gw::test
