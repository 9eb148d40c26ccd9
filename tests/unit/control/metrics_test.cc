// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// An independent reading of the text: each sample as "name{label=value} number", sorted; throws on what it cannot
// parse.
constexpr const char* kParser = R"(
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    for s in family.samples:
        labels = ",".join(f"{k}={v}" for k, v in sorted(s.labels.items()))
        print(f"{family.type} {s.name}{{{labels}}} {s.value:g}")
)";

class MetricsTest : public GatewayTest {
 protected:
  std::string samples() {
    const Output parsed =
        run({"/usr/bin/python3", "-c", kParser}, std::chrono::seconds(60), {}, value_of(gateway_->metrics()));
    EXPECT_EQ(parsed.status, 0) << parsed.err;
    return parsed.out;
  }
};

TEST_F(MetricsTest, AreReadByAnIndependentParser) {
  write(kUsual);
  start();
  value_of(add("alice", {"developers"}, 5));
  const PublicKey alice = last_key_;
  value_of(add("bob", {"ops"}, 200));
  value_of(add("carol", {}, 20));
  value_of(add("dave", {}, 1));
  ASSERT_TRUE(gateway_->revoke_client("dave", "unspecified", "uid 0"));
  kernel_.peer_states[alice].last_handshake = clock_.at - 30;
  kernel_.peer_states[last_key_].last_handshake = clock_.at - 7200;
  kernel_.rule_counters[reconciler_->rule_id("dev-web")] = {.packets = 10, .bytes = 5'000'000'000, .flows = 3};
  kernel_.rule_counters[0] = {.packets = 8, .bytes = 480};
  kernel_.drops[GW_REASON_SOURCE] = 12;
  kernel_.untold = {30, 1};
  kernel_.tracked.resize(5);
  EXPECT_THAT(samples(), AllOf(HasSubstr("gauge gatewayd_build_info{version=1.2.3,wireguard=fake} 1\n"),
                               HasSubstr("gauge gatewayd_clients{} 4\n"), HasSubstr("gauge gatewayd_peers{} 3\n"),
                               HasSubstr("gauge gatewayd_peers_online{} 1\n"),
                               HasSubstr("gauge gatewayd_peers_handshake_within{seconds=3600} 1\n"),
                               HasSubstr("gauge gatewayd_certificates_ending{days=1} 0\n"),
                               HasSubstr("gauge gatewayd_certificates_ending{days=7} 1\n"),
                               HasSubstr("gauge gatewayd_certificates_ending{days=30} 2\n"),
                               HasSubstr("gauge gatewayd_pool_addresses_used{prefix=172.16.201.0/24} 4\n"),
                               HasSubstr("gauge gatewayd_pool_addresses{prefix=172.16.201.0/24} 252\n"),
                               HasSubstr("counter gatewayd_rule_bytes_total{action=allow,rule=dev-web} 5e+09\n"),
                               HasSubstr("counter gatewayd_rule_flows_total{action=allow,rule=dev-web} 3\n"),
                               HasSubstr("counter gatewayd_rule_packets_total{action=deny,rule=(default)} 8\n"),
                               HasSubstr("counter gatewayd_rule_packets_total{action=reject,rule=no-web} 0\n")));
  EXPECT_THAT(samples(),
              AllOf(HasSubstr("counter gatewayd_dropped_packets_total{reason=source} 12\n"),
                    HasSubstr("counter gatewayd_dropped_packets_total{reason=default} 0\n"),
                    HasSubstr("counter gatewayd_events_untold_total{} 31\n"), HasSubstr("gauge gatewayd_flows{} 5\n"),
                    HasSubstr("gauge gatewayd_policy_generation{} "), HasSubstr("gauge gatewayd_drift{} 0\n"),
                    Not(HasSubstr("alice"))));
}

TEST_F(MetricsTest, CountAppliesAndTheirFailures) {
  write(kUsual);
  start();
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  write("nonsense");
  ASSERT_FALSE(gateway_->apply(0, "uid 0"));
  EXPECT_THAT(samples(), AllOf(HasSubstr("summary gatewayd_apply_duration_seconds_count{} 2\n"),
                               HasSubstr("counter gatewayd_apply_failures_total{} 1\n")));
}

TEST_F(MetricsTest, CountRepairs) {
  write(kUsual);
  start();
  kernel_.state.attachments.clear();
  gateway_->converge();
  EXPECT_THAT(samples(), Not(HasSubstr("gatewayd_drift_repairs_total{} 0\n")));
}

TEST_F(MetricsTest, AreThereBeforeAnythingIsConfigured) {
  start();
  EXPECT_THAT(samples(), AllOf(HasSubstr("gatewayd_build_info"), HasSubstr("gatewayd_clients{} 0\n")));
}

}  // namespace
}  // namespace gw::test
