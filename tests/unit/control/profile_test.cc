// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ProfileTest : public GatewayTest {
 protected:
  void begin(const std::string& more) {
    write(more);
    start();
  }
  std::vector<std::string> allowed(const std::string& name) {
    return value_of(gateway_->export_client(name)).allowed_ips;
  }
};

TEST_F(ProfileTest, RoutesOnlyTheGatewaysNetworksThroughASplitTunnel) {
  begin(std::string(kUsual) + "sites:\n  parents: {public_key: \"" + PublicKey{{7}}.str() +
        "\", prefixes: [192.168.50.0/24]}\n");
  ASSERT_TRUE(add("alice"));
  EXPECT_THAT(allowed("alice"), UnorderedElementsAre("172.16.201.0/24", "fd6d:706e:6c61::/64", "10.1.1.0/24",
                                                     "fd10:1:1::/64", "192.168.50.0/24"));
}

TEST_F(ProfileTest, TakesTheClientsTunnelBeforeItsGroupsAndThoseBeforeTheGateways) {
  begin("groups:\n  roaming: {tunnel: full}\n  office: {tunnel: split}\n  plain: {}\n");
  ASSERT_TRUE(add("alice", {"plain"}));
  EXPECT_EQ(allowed("alice").size(), 2U);
  EXPECT_THAT(allowed("alice"), ::testing::Not(::testing::Contains("0.0.0.0/0")));
  ASSERT_TRUE(add("bob", {"office", "roaming"}));
  EXPECT_THAT(allowed("bob"), ElementsAre("0.0.0.0/0", "::/0"));
  control::ClientChange change;
  change.tunnel = "split";
  ASSERT_TRUE(gateway_->set_client("bob", change, "uid 0"));
  EXPECT_THAT(allowed("bob"), ::testing::Not(::testing::Contains("0.0.0.0/0")));
  change.tunnel = "";
  ASSERT_TRUE(gateway_->set_client("bob", change, "uid 0"));
  EXPECT_THAT(allowed("bob"), ElementsAre("0.0.0.0/0", "::/0"));
}

TEST_F(ProfileTest, NamesTheGatewayItsKeyItsEndpointAndTheChain) {
  begin(kUsual);
  const auto facts = value_of(add("alice"));
  EXPECT_EQ(facts.client, "alice");
  EXPECT_EQ(facts.gateway_name, "contoso");
  EXPECT_EQ(facts.gateway_public_key, public_key_.str());
  EXPECT_EQ(facts.endpoint, "vpn.contoso.example:51820");
  EXPECT_EQ(facts.mtu, 1420U);
  const auto authority = value_of(gateway_->authority());
  EXPECT_EQ(facts.chain_pem, authority.parts[1].certificate.pem + authority.parts[0].certificate.pem);
}

TEST_F(ProfileTest, NamesTheGatewayAsTheNameServerWhereItServesNames) {
  begin(kUsual);
  EXPECT_THAT(value_of(add("bob")).dns, IsEmpty());
  std::string text = read_file(directory_ / "etc/gateway.yaml").value();
  const std::string vpn = "  interface: wg0\n";
  text.insert(text.find(vpn) + vpn.size(),
              "  dns: {domain: vpn.internal, forward: [10.1.1.53, 192.0.2.53, 168.63.129.16]}\n");
  write_whole(text);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  const auto facts = value_of(add("alice"));
  EXPECT_EQ(facts.dns_domain, "vpn.internal");
  EXPECT_THAT(facts.dns, ElementsAre("172.16.201.1", "fd6d:706e:6c61::1"));
}

TEST_F(ProfileTest, IsToldToBeOutdatedUntilItIsExportedAgain) {
  begin(kUsual);
  ASSERT_TRUE(add("alice"));
  EXPECT_FALSE(value_of(gateway_->client("alice")).client.profile_outdated);
  write(std::string(kUsual) + "nat: [{from: vpn, out: eth0}]\n");
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  EXPECT_FALSE(value_of(gateway_->client("alice")).client.profile_outdated) << "nothing that is in a profile changed";
  std::string text = kUsual;
  text.insert(text.find("groups:"), "  more: {prefixes: [10.1.9.0/24], interface: eth1}\n");
  write(text);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  EXPECT_TRUE(value_of(gateway_->client("alice")).client.profile_outdated);
  ASSERT_TRUE(gateway_->export_client("alice"));
  EXPECT_FALSE(value_of(gateway_->client("alice")).client.profile_outdated);
}

}  // namespace
}  // namespace gw::test
