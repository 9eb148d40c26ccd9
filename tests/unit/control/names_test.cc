// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDns = "vpn: {dns: {domain: vpn.internal}}\n";
constexpr const char* kHosts =
    "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1, address: 10.1.1.1, hosts: {db: 10.1.1.10}}}\n";

class NamesTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(kHosts);
    ASSERT_TRUE(write_file_atomically(directory_ / "etc/gateway.d/dns.yaml", kDns, 0644));
    start();
  }
  std::string served() {
    const auto written = gateway_->write_names();
    EXPECT_TRUE(written) << written.error().message();
    return read_file(directory_ / "run/names/hosts.d/hosts").value_or("");
  }
};

TEST_F(NamesTest, AreThoseOfClientsWithAccess) {
  ASSERT_TRUE(add("alice", {}, 10));
  EXPECT_THAT(served(), HasSubstr(" alice.vpn.internal\n"));
  EXPECT_EQ(value_of(gateway_->client("alice")).dns_name, "alice.vpn.internal");
  control::ClientChange change;
  change.disabled = true;
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_THAT(served(), Not(HasSubstr("alice")));
  EXPECT_EQ(value_of(gateway_->client("alice")).dns_name, "");
  change.disabled = false;
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_THAT(served(), HasSubstr("alice"));
  clock_.at += 11 * kDay;
  gateway_->tick();
  EXPECT_THAT(served(), Not(HasSubstr("alice"))) << "the certificate has ended";
  EXPECT_THAT(served(), HasSubstr("10.1.1.10 db.vpn.internal\n"));
}

TEST_F(NamesTest, ThatHostsHaveClientsCannotTake) {
  EXPECT_THAT(refusal(add("db")), HasSubstr("it is the name of a host of subnet 'web' at gateway.yaml:9:86"));
  EXPECT_THAT(refusal(add("contoso")), HasSubstr("contoso.vpn.internal is the gateway itself"));
  ASSERT_TRUE(add("alice"));
  std::string text = kHosts;
  text.replace(text.find("db"), 2, "alice");
  write(text);
  EXPECT_THAT(refusal(gateway_->apply(0, "uid 0")),
              HasSubstr("client alice: it is the name of a host of subnet 'web' at gateway.yaml:9:86"));
}

TEST_F(NamesTest, ThatNobodyServesAreAWarning) {
  auto with_server = options();
  std::vector<std::string> asked;
  int answer = 0;
  with_server.ask_for_name = [&](const IpAddress& server, const std::string& name) -> Result<void> {
    asked.push_back(server.str() + " " + name);
    return answer == 0 ? Result<void>() : failure(answer, "ask", server.str());
  };
  gateway_.emplace(parts(), with_server, control::GatewayController::Listener{});
  ASSERT_TRUE(gateway_->start());
  EXPECT_THAT(value_of(gateway_->status()).warnings, Not(Contains(HasSubstr("not served"))));
  EXPECT_THAT(asked,
              testing::ElementsAre("172.16.201.1 gateway.vpn.internal", "fd6d:706e:6c61::1 gateway.vpn.internal"));
  answer = ECONNREFUSED;
  EXPECT_THAT(value_of(gateway_->status()).warnings,
              Contains("names of vpn.internal are not served at 172.16.201.1: nobody listens on port 53; see "
                       "journalctl -u gatewayd-names"));
}

}  // namespace
}  // namespace gw::test
