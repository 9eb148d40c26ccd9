// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include "bpf/reasons.h"
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::HasSubstr;

class ExplainTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(std::string(kUsual) + R"(nat: [{from: vpn, out: eth0}]
services: {rdp: [tcp/3389, udp/3389]}
)");
    start();
    ASSERT_TRUE(add("alice", {"developers"}));
    ASSERT_TRUE(add("bob", {"ops"}, 1));
  }
  control::Explanation explain(const std::string& from, const std::string& to, const std::string& service) {
    return value_of(gateway_->explain(from, to, service));
  }
};

TEST_F(ExplainTest, NamesTheRuleAndWhereItIsWritten) {
  const auto allowed = explain("alice", "subnet:web", "tcp/443");
  EXPECT_EQ(allowed.action, "allow");
  EXPECT_EQ(allowed.rule, "dev-web");
  EXPECT_EQ(allowed.written_at, "gateway.yaml:16:5");
  EXPECT_EQ(allowed.source, "client alice (172.16.201.3)");
  EXPECT_EQ(allowed.destination, "subnet:web (10.1.1.2)") << "the first address that is not the gateway's";
  EXPECT_EQ(allowed.service, "tcp/443");
  const auto rejected = explain("bob", "10.1.1.7", "tcp/443");
  EXPECT_EQ(rejected.action, "reject");
  EXPECT_EQ(rejected.rule, "no-web");
  const auto denied = explain("subnet:web", "alice", "tcp/22");
  EXPECT_EQ(denied.action, "deny");
  EXPECT_EQ(denied.rule, "");
  EXPECT_EQ(denied.reason.substr(0, 17), "no rule allows it");
}

TEST_F(ExplainTest, PicksSomeoneToStandForAZoneAndSaysWho) {
  EXPECT_EQ(explain("group:ops", "subnet:web", "ssh").source, "group:ops, such as client bob (172.16.201.4)");
  EXPECT_EQ(explain("vpn", "fd10:1:1::7", "icmp").source, "vpn, such as client alice (fd6d:706e:6c61::3)");
  EXPECT_EQ(explain("alice", "gateway", "icmp").destination, "the gateway (172.16.201.1)");
  EXPECT_THAT(explain("alice", "internet", "tcp/443").destination, HasSubstr("9.9.9.9"));
  EXPECT_EQ(explain("172.16.201.4", "alice", "rdp").service, "tcp/3389");
}

TEST_F(ExplainTest, SaysIcmpAsThePingOfTheFamily) {
  EXPECT_EQ(explain("alice", "subnet:web", "icmp").service, "icmp/8/0");
  EXPECT_EQ(explain("fd6d:706e:6c61::3", "subnet:web", "icmp").service, "icmp/128/0");
}

TEST_F(ExplainTest, PutsTheEndOfAccessBeforeAnyRule) {
  clock_.at += 2 * kDay;
  gateway_->tick();
  EXPECT_THAT(explain("bob", "subnet:web", "tcp/443").reason, HasSubstr("the certificate of client bob has ended"));
  ASSERT_TRUE(gateway_->revoke_client("alice", "unspecified", "uid 0"));
  const auto revoked = explain("alice", "subnet:web", "tcp/443");
  EXPECT_EQ(revoked.action, "deny");
  EXPECT_EQ(revoked.rule, "");
  EXPECT_THAT(revoked.reason, HasSubstr("client alice is revoked"));
}

TEST_F(ExplainTest, AsksTheLoadedProgramAndSaysWhenItDisagrees) {
  kernel_.explanation = {};
  kernel_.explanation.action = GW_ACTION_ALLOW;
  kernel_.explanation.rule = reconciler_->rule_id("dev-web");
  EXPECT_TRUE(explain("alice", "subnet:web", "tcp/443").kernel_agrees);
  kernel_.explanation = {};
  kernel_.explanation.reason = GW_REASON_DEFAULT;
  const auto other = explain("alice", "subnet:web", "tcp/443");
  EXPECT_FALSE(other.kernel_agrees);
  EXPECT_EQ(other.action, "allow");
  EXPECT_THAT(other.reason, HasSubstr("the loaded program says deny (no rule allows it)"));
}

TEST_F(ExplainTest, TakesTheProgramsReasonWhereNoRuleDecided) {
  kernel_.explanation = {};
  kernel_.explanation.reason = GW_REASON_UNASSIGNED;
  EXPECT_EQ(explain("alice", "172.16.201.77", "tcp/443").reason, bpf::kReasonTexts[GW_REASON_UNASSIGNED]);
}

TEST_F(ExplainTest, RefusesQuestionsWithoutAnAnswer) {
  const auto question = [&](const std::string& from, const std::string& to, const std::string& service) {
    return refusal(gateway_->explain(from, to, service));
  };
  EXPECT_THAT(question("alce", "subnet:web", "tcp/1"), HasSubstr("alce"));
  EXPECT_THAT(question("client:alce", "subnet:web", "tcp/1"), HasSubstr("did you mean 'alice'?"));
  EXPECT_THAT(question("alice", "subnet:wbe", "tcp/1"), HasSubstr("did you mean 'web'?"));
  EXPECT_THAT(question("alice", "subnet:web", "any"), HasSubstr("name one service"));
  EXPECT_THAT(question("gateway", "subnet:web", "tcp/1"), HasSubstr("what the gateway sends itself is not judged"));
  EXPECT_THAT(question("10.1.1.7", "fd10:1:1::7", "tcp/1"), HasSubstr("no address of the same family"));
}

}  // namespace
}  // namespace gw::test
