// SPDX-License-Identifier: Apache-2.0
// Devices that enrol by themselves: who gets what, and who nothing.
#include "gatewayd/base/base64.h"
#include "gatewayd/control/invitation.h"
#include "gatewayd/pki/est.h"
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class EnrolmentTest : public GatewayTest {
 protected:
  struct Asked {
    std::string request, proof, der;
  };

  void SetUp() override {
    GatewayTest::SetUp();
    write_whole(kEnrolling);
    start();
  }

  std::string token(control::NewToken wanted = {}) {
    if (wanted.groups.empty()) wanted.groups = {"developers"};
    return value_of(gateway_->create_token(wanted, "uid 0")).token;
  }
  [[nodiscard]] std::string proof(const Device& device, const std::string& der) {
    const auto challenge = value_of(gateway_->enrolment_facts()).challenge;
    return base64(challenge.nonce) + " " + base64(value_of(pki::prove(device.wireguard.secret, challenge, der)));
  }
  Asked ask(const Device& device, const std::string& name) {
    const std::string der =
        value_of(pki::request_der(value_of(pki::make_request(device.key, name, device.wireguard.public_key))));
    return {base64(der), proof(device, der), der};
  }
  Result<std::string> enroll(const Device& device, const std::string& secret, const std::string& name = "laptop") {
    const Asked asked = ask(device, name);
    return gateway_->enroll({secret, asked.request, asked.proof, "5.5.5.200"});
  }
  Result<std::string> reenroll(const std::string& certificate, const Device& next, const Device* present = nullptr) {
    const Asked asked = ask(next, "laptop");
    return gateway_->reenroll({certificate, asked.request, asked.proof,
                               present == nullptr ? std::string() : proof(*present, asked.der), "5.5.5.200"});
  }
  [[nodiscard]] bool known(const std::string& name) { return registry_->client(name).has_value(); }

  Device device_;
};

TEST_F(EnrolmentTest, MakesAClientAsTheTokenSays) {
  const auto certificate = value_of(enroll(device_, token({.name = {}, .description = "hers", .days = 7})));
  const auto client = value_of(registry_->client("laptop"));
  EXPECT_THAT(client.groups, ElementsAre("developers"));
  EXPECT_EQ(client.description, "hers");
  EXPECT_EQ(client.not_after, clock_.at + 7 * kDay);
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
  const auto profile = value_of(gateway_->enrolled_profile(certificate));
  EXPECT_EQ(profile.client, "laptop");
  EXPECT_EQ(profile.endpoint, "vpn.contoso.example:51820");
  EXPECT_THAT(value_of(registry_->audit(1)).front().who, "token 1 of uid 0");
}

TEST_F(EnrolmentTest, TakesTheNameOfTheTokenWhereItHasOne) {
  ASSERT_TRUE(enroll(device_, token({.name = "kiosk"}), "whatever"));
  EXPECT_TRUE(known("kiosk"));
  EXPECT_FALSE(known("whatever"));
}

TEST_F(EnrolmentTest, LetsATokenServeOnce) {
  const std::string secret = token();
  const auto first = value_of(enroll(device_, secret));
  EXPECT_EQ(value_of(enroll(device_, secret)), first) << "the answer may have been lost on its way";
  const auto other = enroll(Device(), secret, "other");
  EXPECT_EQ(other.error().code, EACCES);
  EXPECT_EQ(other.error().detail, "the token does not hold");
  EXPECT_FALSE(known("other"));
  EXPECT_THAT(log_, Contains(HasSubstr("token 1 was refused: it is used up, by laptop; asked from 5.5.5.200")));
}

TEST_F(EnrolmentTest, GivesTheSameCertificateAgainAfterTheTokenEndedButNotAfterItWasRevoked) {
  const std::string secret = token({.ttl_seconds = 60});
  const auto first = value_of(enroll(device_, secret));
  clock_.at += 100;
  EXPECT_EQ(value_of(enroll(device_, secret)), first) << "the answer was lost just before the end";
  EXPECT_EQ(enroll(Device(), secret, "other").error().code, EACCES);
  ASSERT_TRUE(gateway_->revoke_token(1, "uid 0"));
  EXPECT_EQ(enroll(device_, secret).error().code, EACCES);
}

TEST_F(EnrolmentTest, TellsNothingOfAnOverTokenToARequestThatIsNone) {
  const std::string used = token();
  ASSERT_TRUE(enroll(device_, used));
  EXPECT_EQ(gateway_->enroll({used, "!", "", "5.5.5.200"}).error().code, EACCES) << "as for one never made";
  EXPECT_EQ(gateway_->enroll({token(), "!", "", "5.5.5.200"}).error().code, EINVAL);
}

TEST_F(EnrolmentTest, TellsAnOutsiderTheSameOfEveryTokenThatDoesNotHold) {
  const std::string revoked = token();
  ASSERT_TRUE(gateway_->revoke_token(1, "uid 0"));
  const std::string ended = token({.ttl_seconds = 60});
  clock_.at += 60;
  for (const std::string& secret : {revoked, ended, control::make_token(), std::string("x"), std::string()}) {
    const auto refused = enroll(device_, secret);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), "enrol: Permission denied (EACCES): the token does not hold");
  }
  EXPECT_THAT(log_, Contains(HasSubstr("token 1 was refused: it was revoked")));
  EXPECT_THAT(log_, Contains(HasSubstr("token 2 was refused: it ended 0 min ago")));
  EXPECT_FALSE(known("laptop"));
}

TEST_F(EnrolmentTest, DoesNotFillTheLogForWhoeverGuesses) {
  const size_t before = log_.size();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(enroll(device_, control::make_token()));
  EXPECT_EQ(log_.size(), before + 1);
  clock_.at += 60;
  EXPECT_FALSE(enroll(device_, control::make_token()));
  EXPECT_THAT(log_.back(), HasSubstr("1000 times"));
}

TEST_F(EnrolmentTest, NeedsAProofOfTheWireGuardKeyInTheRequest) {
  const std::string secret = token();
  const Asked asked = ask(device_, "laptop");
  const Device thief;
  const std::string theirs =
      value_of(pki::request_der(value_of(pki::make_request(thief.key, "laptop", device_.wireguard.public_key))));
  for (const std::string& wrong : {asked.proof, proof(thief, theirs), std::string(), std::string("a b")}) {
    const auto refused = gateway_->enroll({secret, base64(theirs), wrong, "5.5.5.200"});
    EXPECT_EQ(refused.error().code, EINVAL) << wrong;
  }
  EXPECT_FALSE(known("laptop"));
  EXPECT_TRUE(enroll(device_, secret)) << "the token is not used up by that";
}

TEST_F(EnrolmentTest, TakesNoProofForAChallengeThatIsOver) {
  const std::string secret = token();
  const Asked asked = ask(device_, "laptop");
  clock_.at += 119;
  ASSERT_TRUE(gateway_->enrolment_facts());
  EXPECT_TRUE(gateway_->enroll({secret, asked.request, asked.proof, ""}));
  const Device other;
  const Asked late = ask(other, "late");
  clock_.at += 120;
  EXPECT_THAT(refusal(gateway_->enroll({token(), late.request, late.proof, ""})),
              HasSubstr("none of the last two minutes"));
}

TEST_F(EnrolmentTest, RefusesANameThatIsTakenAndKeepsTheToken) {
  ASSERT_TRUE(add("laptop"));
  const std::string secret = token();
  EXPECT_EQ(enroll(device_, secret).error().code, EEXIST);
  EXPECT_EQ(enroll(device_, secret, "No Name").error().code, EINVAL);
  EXPECT_TRUE(enroll(device_, secret, "laptop2"));
}

TEST_F(EnrolmentTest, RefusesAWireGuardKeyThatAnotherHas) {
  ASSERT_TRUE(enroll(device_, token()));
  Device same;
  same.wireguard = device_.wireguard;
  EXPECT_EQ(enroll(same, token(), "second").error().code, EEXIST);
}

TEST_F(EnrolmentTest, RenewsForTheSameKeys) {
  const auto first = value_of(enroll(device_, token()));
  clock_.at += 20 * kDay;
  const auto second = value_of(reenroll(first, device_));
  EXPECT_NE(second, first);
  EXPECT_EQ(value_of(registry_->client("laptop")).not_after, clock_.at + 30 * kDay);
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
}

TEST_F(EnrolmentTest, RenewsUpToThirtyDaysAfterTheEnd) {
  const auto first = value_of(enroll(device_, token()));
  clock_.at += 45 * kDay;
  gateway_->tick();
  EXPECT_FALSE(has_peer(device_.wireguard.public_key));
  EXPECT_EQ(gateway_->enrolled_profile(first).error().code, EKEYREVOKED);
  const auto second = value_of(reenroll(first, device_));
  EXPECT_TRUE(has_peer(device_.wireguard.public_key));
  clock_.at += 61 * kDay;
  EXPECT_EQ(reenroll(second, device_).error().code, EKEYEXPIRED);
}

TEST_F(EnrolmentTest, ChangesTheWireGuardKeyWithAProofOfBoth) {
  const auto first = value_of(enroll(device_, token()));
  const Device next;
  EXPECT_EQ(reenroll(first, next).error().code, EINVAL) << "none of the present key";
  EXPECT_EQ(reenroll(first, next, &next).error().code, EINVAL);
  const auto second = value_of(reenroll(first, next, &device_));
  EXPECT_TRUE(has_peer(next.wireguard.public_key));
  EXPECT_FALSE(has_peer(device_.wireguard.public_key));
  EXPECT_EQ(value_of(reenroll(first, next, &device_)), second) << "the answer may have been lost on its way";
  EXPECT_EQ(reenroll(first, Device(), &device_).error().code, EKEYREVOKED) << "that key is out of use";
}

TEST_F(EnrolmentTest, RenewsNothingForWhoWasRevokedRemovedOrDisabled) {
  const auto certificate = value_of(enroll(device_, token()));
  control::ClientChange change;
  change.disabled = true;
  ASSERT_TRUE(gateway_->set_client("laptop", change, "uid 0"));
  EXPECT_EQ(reenroll(certificate, device_).error().code, EKEYREVOKED);
  change.disabled = false;
  ASSERT_TRUE(gateway_->set_client("laptop", change, "uid 0"));
  ASSERT_TRUE(gateway_->revoke_client("laptop", "keyCompromise", "uid 0"));
  EXPECT_EQ(reenroll(certificate, device_).error().code, EKEYREVOKED);
  EXPECT_EQ(gateway_->enrolled_profile(certificate).error().code, EKEYREVOKED);
  ASSERT_TRUE(gateway_->remove_client("laptop", "uid 0"));
  EXPECT_EQ(reenroll(certificate, device_).error().code, EKEYREVOKED);
  EXPECT_FALSE(has_peer(device_.wireguard.public_key));
}

TEST_F(EnrolmentTest, KnowsTheHolderOfACertificateAsLongAsTheClientHasAccess) {
  const auto first = value_of(enroll(device_, token()));
  EXPECT_EQ(value_of(gateway_->certificate_holder(first)), "laptop");
  const auto second = value_of(reenroll(first, Device(), &device_));
  EXPECT_EQ(value_of(gateway_->certificate_holder(first)), "laptop") << "a stream may have been opened with it";
  control::ClientChange change;
  change.disabled = true;
  ASSERT_TRUE(gateway_->set_client("laptop", change, "uid 0"));
  EXPECT_EQ(gateway_->certificate_holder(second).error().code, EKEYREVOKED);
  change.disabled = false;
  ASSERT_TRUE(gateway_->set_client("laptop", change, "uid 0"));
  EXPECT_EQ(value_of(gateway_->certificate_holder(second)), "laptop");
  clock_.at += 29 * kDay;
  EXPECT_TRUE(gateway_->certificate_holder(second));
  clock_.at += 2 * kDay;
  EXPECT_EQ(gateway_->certificate_holder(second).error().code, EKEYREVOKED) << "it ended";
  clock_.at -= 31 * kDay;
  ASSERT_TRUE(gateway_->revoke_client("laptop", "keyCompromise", "uid 0"));
  EXPECT_EQ(gateway_->certificate_holder(first).error().code, EKEYREVOKED);
  EXPECT_EQ(gateway_->certificate_holder(second).error().code, EKEYREVOKED);
  ASSERT_TRUE(gateway_->remove_client("laptop", "uid 0"));
  EXPECT_EQ(gateway_->certificate_holder(second).error().code, EKEYREVOKED);
  EXPECT_EQ(gateway_->certificate_holder("no certificate").error().code, EKEYREJECTED);
}

TEST_F(EnrolmentTest, RefusesACertificateOfAnotherGateway) {
  const auto other = value_of(pki::Authority::open(directory_ / "other-ca", "contoso", clock_.at));
  const auto request =
      value_of(pki::parse_request(value_of(pki::make_request(device_.key, "laptop", device_.wireguard.public_key))));
  const auto foreign = value_of(other.issue(request, "laptop", pki::random_uuid(), clock_.at, clock_.at + kDay)).pem;
  ASSERT_TRUE(enroll(device_, token()));
  EXPECT_EQ(reenroll(foreign, device_).error().code, EKEYREJECTED);
  EXPECT_EQ(gateway_->enrolled_profile(foreign).error().code, EKEYREJECTED);
  EXPECT_EQ(gateway_->certificate_holder(foreign).error().code, EKEYREJECTED);
}

TEST_F(EnrolmentTest, CertifiesTheServerForItsNamesAndRemembersItsKey) {
  const auto request = value_of(pki::make_request(device_.key, "any", device_.wireguard.public_key));
  const auto chain = value_of(gateway_->certify_front(request));
  EXPECT_EQ(chain.find(value_of(gateway_->enrolment_facts()).chain_pem) != std::string::npos, true);
  const auto handout = value_of(gateway_->create_token({}, "uid 0"));
  EXPECT_EQ(handout.pin, value_of(pki::pin_of(value_of(pki::parse_server_request(request)))));
  EXPECT_THAT(handout.link,
              ::testing::MatchesRegex("https://vpn.contoso.example/join#token=[a-z2-7]{26}&ca=[0-9a-f]{64}"));
}

TEST_F(EnrolmentTest, IsOffUnlessAPortIsWritten) {
  write(kUsual);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  EXPECT_THAT(refusal(gateway_->create_token({}, "uid 0")), HasSubstr("write gateway.public.enroll_port: 443"));
  EXPECT_FALSE(gateway_->enrolment_facts());
}

TEST_F(EnrolmentTest, RefusesTokensThatMakeNoSense) {
  const auto refused = [&](const control::NewToken& wanted) {
    return gateway_->create_token(wanted, "uid 0").error().code;
  };
  EXPECT_EQ(refused({.groups = {"nosuch"}}), ENOENT);
  EXPECT_EQ(refused({.name = "a b"}), EINVAL);
  EXPECT_EQ(refused({.ttl_seconds = 0}), EINVAL);
  EXPECT_EQ(refused({.ttl_seconds = 31 * 86400}), EINVAL);
  EXPECT_EQ(refused({.uses = 0}), EINVAL);
  EXPECT_EQ(refused({.name = "a", .uses = 2}), EINVAL);
  ASSERT_TRUE(add("alice"));
  EXPECT_EQ(refused({.name = "alice"}), EEXIST);
}

TEST(Invitation, IsOfAHundredAndTwentyEightBits) {
  const std::string first = control::make_token();
  EXPECT_EQ(first.size(), 26U);
  EXPECT_NE(first, control::make_token());
  std::string upper = first;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(control::hash_of_token(upper), control::hash_of_token(first));
  for (const std::string& bad : {first + "a", first.substr(1), "1" + first.substr(1), std::string()})
    EXPECT_FALSE(control::hash_of_token(bad)) << bad;
  EXPECT_EQ(control::join_link("2a0d:5::1", 8443, "T", "F"), "https://[2a0d:5::1]:8443/join#token=T&ca=F");
}

}  // namespace
}  // namespace gw::test
