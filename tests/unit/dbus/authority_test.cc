// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/authority.h"

#include <gmock/gmock.h>
#include <grp.h>

#include "gatewayd/dbus/method.h"
#include "tests/unit/dbus/bus_test.h"
#include "tests/unit/dbus/render.h"

namespace gw::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kDenied = "org.gatewayd.Error.AccessDenied";
constexpr const char* kClientOfAlice = "/org/gatewayd/client/alice";

// Arguments of the signature, all empty: enough to get to the authority check.
void fill_empty(sd_bus_message* message, std::string_view signature) {
  while (!signature.empty()) {
    if (signature.starts_with("a{sv}")) {
      sd_bus_message_append(message, "a{sv}", 0);
      signature.remove_prefix(5);
      continue;
    }
    if (signature.starts_with("ay")) {
      sd_bus_message_append_array(message, 'y', "x", 1);
      signature.remove_prefix(2);
      continue;
    }
    if (signature[0] == 's') sd_bus_message_append(message, "s", "alice");
    if (signature[0] == 'b') sd_bus_message_append(message, "b", 0);
    if (signature[0] == 'u') sd_bus_message_append(message, "u", 1);
    if (signature[0] == 't') sd_bus_message_append(message, "t", uint64_t{1});
    signature.remove_prefix(1);
  }
}

class AuthorityTest : public BusTest {
 protected:
  void SetUp() override {
    BusTest::SetUp();
    control::ClientStatus alice;
    alice.client.name = "alice";
    controller_.clients_answer = {alice};
  }
  static Person admin() { return {65534, 65534, {65534, getgrnam(kAdminGroup)->gr_gid}}; }
};

TEST(IsAdministrator, HoldsForRootAndTheGroupOnly) {
  EXPECT_TRUE(dbus::is_administrator({0, {}}, std::nullopt));
  EXPECT_TRUE(dbus::is_administrator({1000, {100, 42}}, 42));
  EXPECT_FALSE(dbus::is_administrator({1000, {100}}, 42));
  EXPECT_FALSE(dbus::is_administrator({1000, {0}}, std::nullopt)) << "group 0 is not root";
}

TEST(May, LetsTheEnrolmentServerEnrolAndNothingElse) {
  using dbus::Access;
  const dbus::Special special{.admin = 42, .enrolment = 990};
  const dbus::Caller server{990, {990}};
  EXPECT_TRUE(dbus::may(server, special, Access::enroll));
  EXPECT_TRUE(dbus::may({0, {}}, special, Access::enroll));
  EXPECT_FALSE(dbus::may({1000, {42}}, special, Access::enroll)) << "an administrator makes tokens, and no devices";
  EXPECT_FALSE(dbus::may(server, {.admin = 42, .enrolment = {}}, Access::enroll));
  for (const Access access : {Access::read, Access::change, Access::issue, Access::watch, Access::root})
    EXPECT_FALSE(dbus::may(server, special, access));
}

TEST(WhoIs, NamesUsersAndNumbersOthers) {
  EXPECT_EQ(dbus::who_is({0, {}}), "uid 0");
  EXPECT_EQ(dbus::who_is({65534, {}}), "user nobody");
  EXPECT_EQ(dbus::who_is({4123456, {}}), "uid 4123456");
}

TEST_F(AuthorityTest, RefusesEveryManagerMethodToSomeoneElse) {
  const auto nobody = connect(kNobody);
  for (const dbus::Method& method : dbus::manager_methods()) {
    const Reply reply = call(nobody.get(), method.name, [&](sd_bus_message* m) { fill_empty(m, method.in); });
    EXPECT_EQ(reply.error, kDenied) << method.name;
    EXPECT_THAT(reply.text, HasSubstr(method.access == dbus::Access::root ? "only root may"
                                                                          : "root and members of the group daemon"));
  }
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(AuthorityTest, RefusesEveryClientMethodToSomeoneElse) {
  const auto nobody = connect(kNobody);
  for (const char* path : {kClientOfAlice, "/org/gatewayd/client/nosuchclient"}) {
    for (const dbus::Method& method : dbus::client_methods()) {
      const Reply reply = call(nobody.get(), path, dbus::kClientInterface, method.name,
                               [&](sd_bus_message* m) { fill_empty(m, method.in); });
      EXPECT_EQ(reply.error, kDenied) << path << " " << method.name;
    }
  }
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(AuthorityTest, RefusesEnrolmentToAllButItsServer) {
  const auto nobody = connect(kNobody);
  const auto member = connect(admin());
  for (const dbus::Method& method : dbus::enrolment_methods()) {
    for (sd_bus* bus : {nobody.get(), member.get()}) {
      const Reply reply = call(bus, dbus::kManagerPath, dbus::kEnrolmentInterface, method.name,
                               [&](sd_bus_message* m) { fill_empty(m, method.in); });
      EXPECT_EQ(reply.error, kDenied) << method.name;
      EXPECT_THAT(reply.text, HasSubstr("only the enrolment server may"));
    }
  }
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(AuthorityTest, RefusesPropertiesToSomeoneElse) {
  const auto nobody = connect(kNobody);
  for (const auto& [path, interface] :
       {std::pair{dbus::kManagerPath, dbus::kManagerInterface}, std::pair{kClientOfAlice, dbus::kClientInterface}}) {
    const Reply one = call(nobody.get(), path, "org.freedesktop.DBus.Properties", "Get",
                           [&](sd_bus_message* m) { sd_bus_message_append(m, "ss", interface, "Name"); });
    EXPECT_EQ(one.error, kDenied);
    const Reply all = call(nobody.get(), path, "org.freedesktop.DBus.Properties", "GetAll",
                           [&](sd_bus_message* m) { sd_bus_message_append(m, "s", interface); });
    EXPECT_EQ(all.error, kDenied);
  }
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(AuthorityTest, ShowsTheNamesOfClientsOnlyToThoseWhoMayKnow) {
  const auto list = [&](sd_bus* bus) {
    return render(call(bus, "/org/gatewayd/client", "org.freedesktop.DBus.Introspectable", "Introspect").message.get());
  };
  const auto nobody = connect(kNobody);
  EXPECT_THAT(list(root_.get()), HasSubstr("alice"));
  EXPECT_THAT(list(nobody.get()), ::testing::Not(HasSubstr("alice")));
}

TEST_F(AuthorityTest, GivesTheGatewaysSecretsToRootAlone) {
  const auto member = connect(admin());
  size_t refused = 0;
  for (const dbus::Method& method : dbus::manager_methods()) {
    if (method.access != dbus::Access::root) continue;
    const auto fill = [&](sd_bus_message* m) { fill_empty(m, method.in); };
    EXPECT_EQ(call(member.get(), method.name, fill).error, kDenied) << method.name;
    EXPECT_EQ(call(root_.get(), method.name, fill).error, "") << method.name;
    ++refused;
  }
  EXPECT_EQ(refused, 5U);
  EXPECT_THAT(controller_.asked, ::testing::Not(::testing::Contains(HasSubstr("by user"))));
}

TEST_F(AuthorityTest, LetsAMemberOfTheAdminGroupDoEverythingElseUnderItsOwnName) {
  const auto member = connect(admin());
  for (const dbus::Method& method : dbus::manager_methods()) {
    if (method.access == dbus::Access::root) continue;
    const Reply reply = call(member.get(), method.name, [&](sd_bus_message* m) { fill_empty(m, method.in); });
    EXPECT_NE(reply.error, kDenied) << method.name;
  }
  EXPECT_THAT(controller_.asked, ::testing::Contains("revoke_client alice alice by user nobody"));
}

TEST_F(AuthorityTest, CountsThePrimaryGroupToo) {
  const auto member = connect({65534, getgrnam(kAdminGroup)->gr_gid, {65534}});
  EXPECT_EQ(call(member.get(), "GetStatus").error, "");
}

TEST_F(AuthorityTest, JudgesTheConnectionThatAsksAndNotAnEarlierOne) {
  const auto nobody = connect(kNobody);
  const auto get_name = [](sd_bus_message* m) { sd_bus_message_append(m, "ss", dbus::kManagerInterface, "Name"); };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(call(root_.get(), dbus::kManagerPath, "org.freedesktop.DBus.Properties", "Get", get_name).error, "");
    EXPECT_EQ(call(nobody.get(), dbus::kManagerPath, "org.freedesktop.DBus.Properties", "Get", get_name).error,
              kDenied);
  }
}

/// Stands in for polkit on the bus: notes what it is asked and answers what the test says.
class PolkitTest : public AuthorityTest {
 protected:
  void SetUp() override {
    AuthorityTest::SetUp();
    polkit_ = connect(kRoot);
    static const sd_bus_vtable table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
    };
    ASSERT_GE(sd_bus_add_object_vtable(polkit_.get(), nullptr, "/org/freedesktop/PolicyKit1/Authority",
                                       "org.freedesktop.PolicyKit1.Authority", table, this),
              0);
    ASSERT_GE(sd_bus_request_name(polkit_.get(), "org.freedesktop.PolicyKit1", 0), 0);
  }
  void TearDown() override {
    polkit_.reset();
    AuthorityTest::TearDown();
  }
  static int on_check(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& test = *static_cast<PolkitTest*>(self);
    test.questions_.push_back(render(message));
    return sd_bus_reply_method_return(message, "(bba{ss})", test.yes_ ? 1 : 0, test.challenge_ ? 1 : 0, 0);
  }

  dbus::Bus polkit_;
  bool yes_ = false;
  bool challenge_ = false;
  std::vector<std::string> questions_;
};

TEST_F(PolkitTest, MayLetSomeoneElseIn) {
  yes_ = true;
  const auto nobody = connect(kNobody);
  const Reply reply = call(nobody.get(), "Apply", [](sd_bus_message* m) { sd_bus_message_append(m, "u", 30); });
  EXPECT_EQ(reply.error, "");
  EXPECT_THAT(controller_.asked, ::testing::ElementsAre("apply 30 by user nobody"));
  const char* unique = nullptr;
  sd_bus_get_unique_name(nobody.get(), &unique);
  EXPECT_THAT(questions_, ::testing::ElementsAre("\"system-bus-name\", {\"name\": \"" + std::string(unique) +
                                                 "\"} | \"org.gatewayd.change\" | {} | u 0 | \"\""));
}

TEST_F(PolkitTest, IsAskedForTheActionOfTheMethod) {
  const auto nobody = connect(kNobody);
  call(nobody.get(), "GetStatus");
  call(nobody.get(), "RemoveClient", [](sd_bus_message* m) { sd_bus_message_append(m, "s", "alice"); });
  call(nobody.get(), "Watch", [](sd_bus_message* m) { sd_bus_message_append(m, "a{sv}", 0); });
  ASSERT_EQ(questions_.size(), 3U);
  EXPECT_THAT(questions_[0], HasSubstr("org.gatewayd.read"));
  EXPECT_THAT(questions_[1], HasSubstr("org.gatewayd.issue"));
  EXPECT_THAT(questions_[2], HasSubstr("org.gatewayd.watch")) << "who speaks to whom is not for every reader";
}

TEST_F(PolkitTest, AsksThePersonOnlyWhenTheCallAllowsIt) {
  const auto nobody = connect(kNobody);
  call(nobody.get(), dbus::kManagerPath, dbus::kManagerInterface, "GetStatus", {}, true);
  ASSERT_EQ(questions_.size(), 1U);
  EXPECT_THAT(questions_[0], HasSubstr("u 1"));
}

TEST_F(PolkitTest, RefusesWhenPolkitSaysNo) {
  challenge_ = true;
  const auto nobody = connect(kNobody);
  const Reply reply = call(nobody.get(), "GetStatus");
  EXPECT_EQ(reply.error, kDenied);
  EXPECT_THAT(reply.text, HasSubstr("password"));
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(PolkitTest, IsNotAskedAboutRoot) {
  EXPECT_EQ(call(root_.get(), "GetStatus").error, "");
  EXPECT_THAT(questions_, IsEmpty());
}

}  // namespace
}  // namespace gw::test
