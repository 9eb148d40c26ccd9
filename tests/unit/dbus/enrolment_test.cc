// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "gatewayd/dbus/method.h"
#include "tests/unit/dbus/bus_test.h"
#include "tests/unit/dbus/render.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EnrolmentBusTest : public BusTest {
 protected:
  std::string ask(const char* method, const std::function<void(sd_bus_message*)>& fill) {
    const Reply reply = call(root_.get(), dbus::kManagerPath, dbus::kEnrolmentInterface, method, fill);
    return reply.error.empty() ? render(reply.message.get()) : reply.error;
  }
};

TEST_F(EnrolmentBusTest, HandsOnWhatTheDeviceSent) {
  EXPECT_EQ(ask("Enroll",
                [](sd_bus_message* m) {
                  sd_bus_message_append(m, "a{sv}", 4, "token", "s", "T", "request", "s", "R", "proof", "s", "P",
                                        "source", "s", "5.5.5.200");
                }),
            "\"CERTIFICATE\"");
  EXPECT_EQ(ask("Reenroll",
                [](sd_bus_message* m) {
                  sd_bus_message_append(m, "a{sv}", 4, "certificate_pem", "s", "C", "request", "s", "R", "proof", "s",
                                        "P", "present_proof", "s", "Q");
                }),
            "\"CERTIFICATE\"");
  EXPECT_THAT(controller_.asked, ElementsAre("enroll T R P from 5.5.5.200", "reenroll C R P Q from "));
  EXPECT_EQ(ask("Enroll", [](sd_bus_message* m) { sd_bus_message_append(m, "a{sv}", 1, "name", "s", "x"); }),
            "org.gatewayd.Error.InvalidArgument");
}

TEST_F(EnrolmentBusTest, TellsWhoseCertificateItIsAndWhyItLetsNobodyThrough) {
  const auto holder = [&](const char* pem) {
    return ask("GetHolder", [pem](sd_bus_message* m) { sd_bus_message_append(m, "s", pem); });
  };
  EXPECT_EQ(holder("C"), "\"alice\"");
  EXPECT_THAT(controller_.asked, ElementsAre("certificate_holder C"));
  controller_.error = Error{EKEYREVOKED, "let through", "alice", "the client has no access"};
  EXPECT_EQ(holder("D"), "org.gatewayd.Error.InvalidCertificate");
}

TEST_F(EnrolmentBusTest, HandsOnAnOrganisationsCertificate) {
  EXPECT_EQ(ask("EnrollByCertificate",
                [](sd_bus_message* m) {
                  sd_bus_message_append(m, "a{sv}", 5, "certificate_pem", "s", "C", "chain_pem", "s", "I", "request",
                                        "s", "R", "proof", "s", "P", "source", "s", "5.5.5.200");
                }),
            "\"CERTIFICATE\"");
  EXPECT_THAT(controller_.asked, ElementsAre("enroll_by_certificate C I R P from 5.5.5.200"));
}

TEST_F(EnrolmentBusTest, TrustsOrganisations) {
  control::TrustStatus& told = controller_.trust_answer;
  told.trust.name = "contoso";
  told.trust.maps = {{"dns:*.lab.example", {"developers", "ops"}}};
  told.roots.emplace_back().subject = "CN=Contoso";
  told.clients = {"alice"};
  const Reply added = call(root_.get(), "AddTrust", [](sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}", 4, "name", "s", "contoso", "authorities_pem", "s", "ROOT", "maps", "as", 2, "*=a",
                          "*=b", "replace", "b", 1);
  });
  EXPECT_EQ(added.error, "");
  EXPECT_THAT(controller_.new_trust.maps, ElementsAre("*=a", "*=b"));
  EXPECT_TRUE(controller_.new_trust.replace);
  EXPECT_EQ(controller_.new_trust.authorities_pem, "ROOT");
  const Reply listed = call(root_.get(), "ListTrusts", [](sd_bus_message*) {});
  EXPECT_THAT(render(listed.message.get()),
              ::testing::AllOf(HasSubstr("\"dns:*.lab.example=developers,ops\""),
                               HasSubstr("\"subject\": \"CN=Contoso\""), HasSubstr("\"clients\": [\"alice\"]")));
  const Reply removed =
      call(root_.get(), "RemoveTrust", [](sd_bus_message* m) { sd_bus_message_append(m, "sb", "contoso", 1); });
  EXPECT_THAT(render(removed.message.get()), HasSubstr("alice"));
  call(root_.get(), "SetTrustCrl", [](sd_bus_message* m) { sd_bus_message_append(m, "ss", "contoso", "LIST"); });
  EXPECT_THAT(controller_.asked,
              ElementsAre("add_trust contoso by uid 0", "trusts", "remove_trust contoso and clients by uid 0",
                          "set_trust_crl contoso LIST by uid 0"));
}

TEST_F(EnrolmentBusTest, TellsTheFacts) {
  controller_.facts_answer = {.names = {"vpn.contoso.example", "5.5.5.1"},
                              .port = 443,
                              .endpoint = "vpn.contoso.example:51820",
                              .wireguard_port = 51820,
                              .chain_pem = "CHAIN",
                              .authorities_pem = "AUTHORITIES",
                              .challenge = {},
                              .challenge_seconds = 90};
  const std::string facts = ask("GetFacts", [](sd_bus_message*) {});
  EXPECT_THAT(facts, HasSubstr("\"challenge_nonce\": \"AAAAAAAAAAAAAAAAAAAAAA==\""));
  EXPECT_THAT(facts, HasSubstr("\"names\": [\"vpn.contoso.example\", \"5.5.5.1\"]"));
}

TEST_F(EnrolmentBusTest, MakesListsAndRevokesTokens) {
  controller_.handout_answer = {.id = 3, .token = "abc", .link = "https://…", .pin = "", .expires = 1000};
  const Reply made = call(root_.get(), "CreateToken", [](sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}", 4, "groups", "as", 1, "developers", "tunnel", "s", "full", "uses", "u", 2,
                          "ttl_seconds", "u", 60);
  });
  EXPECT_EQ(made.error, "");
  EXPECT_THAT(controller_.new_token.groups, ElementsAre("developers"));
  EXPECT_EQ(controller_.new_token.tunnel, config::Tunnel::full);
  EXPECT_EQ(controller_.new_token.uses, 2U);
  EXPECT_EQ(controller_.new_token.ttl_seconds, 60U);
  call(root_.get(), "RevokeToken", [](sd_bus_message* m) { sd_bus_message_append(m, "t", uint64_t{3}); });
  EXPECT_THAT(controller_.asked, ElementsAre("create_token by uid 0", "revoke_token 3 by uid 0"));
  registry::Token token;
  token.id = 3;
  token.clients = {"alice"};
  controller_.tokens_answer = {token};
  const Reply listed = call(root_.get(), "ListTokens", [](sd_bus_message*) {});
  EXPECT_THAT(render(listed.message.get()), HasSubstr("\"clients\": [\"alice\"]"));
}

}  // namespace
}  // namespace gw::test
