// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ClientsTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(kUsual);
    start();
    kernel_.done.clear();
  }
  static uint64_t ns(UnixSeconds seconds) { return static_cast<uint64_t>(seconds) * 1'000'000'000; }
};

TEST_F(ClientsTest, GetAnAddressOfEachFamilyACertificateAndAPlaceInTheKernel) {
  const auto facts = value_of(add("alice", {"developers"}));
  EXPECT_THAT(facts.addresses, ElementsAre("172.16.201.3/32", "fd6d:706e:6c61::3/128"));
  EXPECT_EQ(facts.not_after, clock_.at + 365 * kDay);
  const auto certificate = value_of(pki::parse_certificate(facts.certificate_pem));
  EXPECT_EQ(certificate.name, "alice");
  EXPECT_EQ(certificate.wireguard, last_key_);
  ASSERT_TRUE(has_peer(last_key_));
  ASSERT_NE(host("172.16.201.3"), nullptr);
  EXPECT_EQ(host("172.16.201.3")->valid_until_ns, ns(facts.not_after + 1)) << "the last second counts whole";
  EXPECT_NE(host("fd6d:706e:6c61::3"), nullptr);
}

TEST_F(ClientsTest, AreRefusedBeforeAnythingIsWrittenWhenTheRequestIsForAnotherName) {
  control::NewClient client;
  client.name = "alice";
  client.request_pem = request("mallory");
  EXPECT_THAT(refusal(gateway_->add_client(client, "uid 0")), HasSubstr("'mallory'"));
  EXPECT_THAT(value_of(gateway_->clients()), IsEmpty());
}

TEST_F(ClientsTest, AreRefusedForGroupsThatDoNotExistWithTheNearest) {
  const auto added = add("alice", {"developrs"});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ENOENT);
  EXPECT_THAT(added.error().message(), HasSubstr("did you mean 'developers'?"));
  EXPECT_THAT(value_of(gateway_->clients()), IsEmpty());
}

TEST_F(ClientsTest, AreRefusedForAKeyThatAnotherHas) {
  ASSERT_TRUE(add("alice"));
  control::NewClient bob;
  bob.name = "bob";
  bob.request_pem = value_of(pki::make_request(value_of(pki::PrivateKey::generate()), "bob", last_key_));
  const auto added = gateway_->add_client(bob, "uid 0");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, EEXIST);
  EXPECT_THAT(added.error().message(), HasSubstr("alice"));
  bob.request_pem = value_of(pki::make_request(value_of(pki::PrivateKey::generate()), "bob", public_key_));
  EXPECT_THAT(refusal(gateway_->add_client(bob, "uid 0")), HasSubstr("the key of the gateway itself"));
}

TEST_F(ClientsTest, AreRefusedForNoDaysAndForTooMany) {
  EXPECT_THAT(refusal(add("alice", {}, 0)), HasSubstr("from 1 to 3650"));
  EXPECT_THAT(refusal(add("alice", {}, 3651)), HasSubstr("from 1 to 3650"));
}

TEST_F(ClientsTest, StayOutOfTheRegistryWhenNothingTellsWhereToConnect) {
  std::string text = read_file(directory_ / "etc/gateway.yaml").value();
  text.erase(text.find(", endpoint: vpn.contoso.example"), 31);
  write_whole(text);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  EXPECT_EQ(value_of(add("alice")).endpoint, "198.51.100.1:51820") << "the first address of the public interface";
  kernel_.host["eth0"] = {*IpAddress::parse("fe80::1")};
  EXPECT_THAT(refusal(add("bob")), HasSubstr("write gateway.public.endpoint"));
  EXPECT_EQ(value_of(gateway_->clients()).size(), 1U);
}

TEST_F(ClientsTest, AreOutOfTheKernelWhenRevokeReturns) {
  ASSERT_TRUE(add("alice", {"developers"}));
  const uint64_t generation = kernel_.word;
  ASSERT_TRUE(gateway_->revoke_client("alice", "keyCompromise", "uid 0"));
  EXPECT_FALSE(has_peer(last_key_));
  EXPECT_EQ(host("172.16.201.3"), nullptr);
  EXPECT_GT(kernel_.word, generation);
  EXPECT_FALSE(value_of(registry_->client("alice")).has_access(clock_.at));
  gateway_->converge();
  EXPECT_FALSE(has_peer(last_key_)) << "and stays out";
}

TEST_F(ClientsTest, RevokedWhileTheKernelRefusesAreAnErrorAndTriedAgain) {
  ASSERT_TRUE(add("alice"));
  kernel_.refuse["- policy: host"] = Error{EIO, "erase", "host", "the test says so"};
  const auto revoked = gateway_->revoke_client("alice", "unspecified", "uid 0");
  ASSERT_FALSE(revoked);
  EXPECT_THAT(revoked.error().message(), HasSubstr("the kernel did not follow"));
  EXPECT_FALSE(reports_.back().clean()) << "which makes the daemon try again";
  kernel_.refuse.clear();
  gateway_->converge();
  EXPECT_EQ(host("172.16.201.3"), nullptr);
}

TEST_F(ClientsTest, LoseAccessInTheSecondAfterTheirCertificateEnds) {
  ASSERT_TRUE(add("alice", {}, 1));
  ASSERT_TRUE(add("bob", {}, 2));
  EXPECT_EQ(gateway_->next_tick(), clock_.at + kDay + 1);
  clock_.at += kDay;
  gateway_->tick();
  EXPECT_NE(host("172.16.201.3"), nullptr);
  clock_.at += 1;
  gateway_->tick();
  EXPECT_EQ(host("172.16.201.3"), nullptr);
  EXPECT_NE(host("172.16.201.4"), nullptr);
  EXPECT_EQ(gateway_->next_tick(), clock_.at + kDay);
  EXPECT_THAT(log_, ::testing::Contains(HasSubstr("certificate of client alice has ended")));
}

TEST_F(ClientsTest, KeepTheirKeyWhenRenewed) {
  const auto before = value_of(add("alice", {}, 1));
  clock_.at += kDay / 2;
  kernel_.done.clear();
  const auto certificate = value_of(gateway_->renew_client("alice", 30, "uid 0"));
  EXPECT_EQ(certificate.wireguard, last_key_);
  EXPECT_EQ(certificate.not_after, clock_.at + 30 * kDay);
  EXPECT_EQ(host("172.16.201.3")->valid_until_ns, ns(certificate.not_after + 1));
  EXPECT_EQ(gateway_->next_tick(), certificate.not_after + 1);
  const auto old_pem = value_of(pki::renewal_request(before.certificate_pem)).public_key_pem;
  EXPECT_EQ(value_of(pki::renewal_request(certificate.pem)).public_key_pem, old_pem);
}

TEST_F(ClientsTest, ComeBackWhenRenewedAfterTheEnd) {
  ASSERT_TRUE(add("alice", {}, 1));
  clock_.at += 3 * kDay;
  gateway_->tick();
  ASSERT_FALSE(has_peer(last_key_));
  ASSERT_TRUE(gateway_->renew_client("alice", 30, "uid 0"));
  EXPECT_TRUE(has_peer(last_key_));
}

TEST_F(ClientsTest, AreNotRenewedOnceRevoked) {
  ASSERT_TRUE(add("alice"));
  ASSERT_TRUE(gateway_->revoke_client("alice", "unspecified", "uid 0"));
  const auto renewed = gateway_->renew_client("alice", 30, "uid 0");
  ASSERT_FALSE(renewed);
  EXPECT_EQ(renewed.error().code, EKEYREVOKED);
  EXPECT_THAT(renewed.error().message(), HasSubstr("gwctl client rekey alice"));
}

TEST_F(ClientsTest, ChangeTheirKeyAndKeepTheirAddresses) {
  const auto before = value_of(add("alice"));
  const PublicKey old = last_key_;
  const auto after = value_of(gateway_->rekey_client("alice", request("alice"), 30, "uid 0"));
  EXPECT_EQ(after.addresses, before.addresses);
  EXPECT_FALSE(has_peer(old));
  EXPECT_TRUE(has_peer(last_key_));
  const auto certificates = value_of(gateway_->certificates());
  ASSERT_EQ(certificates.size(), 2U);
  EXPECT_EQ(certificates[0].reason, "superseded");
}

TEST_F(ClientsTest, ChangeTheirClassWithTheirGroups) {
  ASSERT_TRUE(add("alice"));
  const uint32_t before = host("172.16.201.3")->class_id;
  control::ClientChange change;
  change.add_groups = {"developers", "ops"};
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_NE(host("172.16.201.3")->class_id, before);
  change = {};
  change.remove_groups = {"ops"};
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_THAT(value_of(gateway_->client("alice")).client.groups, ElementsAre("developers"));
  change = {};
  change.groups = std::vector<std::string>{};
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_EQ(host("172.16.201.3")->class_id, before);
  change = {};
  change.add_groups = {"opps"};
  EXPECT_THAT(refusal(gateway_->set_client("alice", change, "uid 0")), HasSubstr("did you mean 'ops'?"));
}

TEST_F(ClientsTest, LoseAccessWhileDisabled) {
  ASSERT_TRUE(add("alice"));
  control::ClientChange change;
  change.disabled = true;
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_FALSE(has_peer(last_key_));
  change.disabled = false;
  ASSERT_TRUE(gateway_->set_client("alice", change, "uid 0"));
  EXPECT_TRUE(has_peer(last_key_));
}

TEST_F(ClientsTest, KeepAccessWhenAnOldCertificateIsRevoked) {
  const auto facts = value_of(add("alice"));
  const std::string old = value_of(pki::parse_certificate(facts.certificate_pem)).serial;
  const auto fresh = value_of(gateway_->renew_client("alice", 30, "uid 0"));
  ASSERT_TRUE(gateway_->revoke_certificate(old, "superseded", "uid 0"));
  EXPECT_TRUE(has_peer(last_key_));
  ASSERT_TRUE(gateway_->revoke_certificate(fresh.serial, "keyCompromise", "uid 0"));
  EXPECT_FALSE(has_peer(last_key_));
}

TEST_F(ClientsTest, AreTakenOutWithTheirCountersAndTheirAddressesAreFree) {
  ASSERT_TRUE(add("alice"));
  ASSERT_TRUE(add("bob"));
  kernel_.client_counters[1] = {.packets = 7};
  ASSERT_TRUE(gateway_->remove_client("alice", "uid 0"));
  EXPECT_EQ(host("172.16.201.3"), nullptr);
  EXPECT_THAT(value_of(add("carol")).addresses, ::testing::Contains("172.16.201.3/32"));
  EXPECT_EQ(value_of(gateway_->client("carol")).packets, 0U) << "the number was alice's, what she sent was not carol's";
}

TEST_F(ClientsTest, AreShownWithWhatTheKernelKnowsOfThem) {
  ASSERT_TRUE(add("alice", {"ops"}));
  kernel_.peer_states[last_key_] = {
      .last_handshake = clock_.at - 179, .rx_bytes = 1, .tx_bytes = 2, .endpoint = "192.0.2.1:5"};
  kernel_.client_counters[1] = {.packets = 3, .bytes = 4, .flows = 5, .denied = 6};
  auto alice = value_of(gateway_->client("alice"));
  EXPECT_TRUE(alice.online);
  EXPECT_EQ(alice.endpoint, "192.0.2.1:5");
  EXPECT_EQ(alice.denied, 6U);
  EXPECT_EQ(value_of(gateway_->status()).peers_online, 1U);
  kernel_.peer_states[last_key_].last_handshake = clock_.at - 180;
  EXPECT_FALSE(value_of(gateway_->client("alice")).online);
  EXPECT_EQ(refusal(gateway_->client("bob")).find("accepted"), std::string::npos);
}

TEST_F(ClientsTest, AreDecidedAnewWhenTheClockIsSet) {
  ASSERT_TRUE(add("alice", {}, 1));
  clock_.at += 10 * kDay;
  gateway_->clock_was_set();
  EXPECT_FALSE(has_peer(last_key_));
}

TEST_F(ClientsTest, AreListedOnTheRevocationListThatIsSignedAnewWhenItHasTo) {
  ASSERT_TRUE(add("alice"));
  const auto before = value_of(gateway_->crls_der());
  EXPECT_EQ(value_of(gateway_->crls_der()), before) << "nothing has changed";
  ASSERT_TRUE(gateway_->revoke_client("alice", "superseded", "uid 0"));
  const auto revoked = value_of(gateway_->crls_der());
  EXPECT_NE(revoked, before);
  ASSERT_TRUE(gateway_->revoke_client("alice", "keyCompromise", "uid 0"));
  const auto compromised = value_of(gateway_->crls_der());
  EXPECT_NE(compromised, revoked) << "the reason is another";
  clock_.at += kDay;
  EXPECT_NE(value_of(gateway_->crls_der()), compromised) << "long before the list ends";
}

}  // namespace
}  // namespace gw::test
