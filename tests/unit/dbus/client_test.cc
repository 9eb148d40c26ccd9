// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/dbus/bus_test.h"
#include "tests/unit/dbus/render.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPath = "/org/gatewayd/client/alice_2dlaptop";

class ClientTest : public BusTest {
 protected:
  void SetUp() override {
    BusTest::SetUp();
    control::ClientStatus status;
    status.client.name = "alice-laptop";
    status.client.groups = {"developers"};
    status.client.addresses = {*IpAddress::parse("172.16.201.4"), *IpAddress::parse("fd6d:706e:6c61::4")};
    status.client.serial = "01ab";
    status.client.not_after = 1234;
    status.online = true;
    controller_.clients_answer = {status};
  }
};

TEST_F(ClientTest, HasPropertiesReadWithOneLookUp) {
  const Reply all = call(root_.get(), kPath, "org.freedesktop.DBus.Properties", "GetAll",
                         [](sd_bus_message* m) { sd_bus_message_append(m, "s", dbus::kClientInterface); });
  EXPECT_EQ(render(all.message.get()),
            R"({"Name": "alice-laptop", "Groups": ["developers"], "Addresses": ["172.16.201.4", "fd6d:706e:6c61::4"], )"
            R"("Serial": "01ab", "NotAfter": x 1234, "Online": true})");
  EXPECT_THAT(controller_.asked, ElementsAre("client alice-laptop"));
}

TEST_F(ClientTest, IsListedWithTheWayItsPacketsCome) {
  for (const auto& [endpoint, way] : {std::pair{"", ""}, {"5.5.5.11:40112", "udp"}, {"127.0.0.1:40001", "tls"}}) {
    controller_.clients_answer.front().endpoint = endpoint;
    const Reply all = call(root_.get(), "ListClients");
    EXPECT_THAT(render(all.message.get()), HasSubstr("\"transport\": \"" + std::string(way) + "\"")) << endpoint;
  }
}

TEST_F(ClientTest, HasTheMethodsOfTheManagerForItself) {
  const auto ask = [&](const char* member, const std::function<void(sd_bus_message*)>& fill = {}) {
    EXPECT_EQ(call(root_.get(), kPath, dbus::kClientInterface, member, fill).error, "");
  };
  ask("Set", [](sd_bus_message* m) { sd_bus_message_append(m, "a{sv}", 1, "description", "s", "hers"); });
  ask("Renew", [](sd_bus_message* m) { sd_bus_message_append(m, "u", 30); });
  ask("Revoke", [](sd_bus_message* m) { sd_bus_message_append(m, "s", "keyCompromise"); });
  ask("Remove");
  EXPECT_THAT(controller_.asked,
              ElementsAre("set_client alice-laptop by uid 0", "renew_client alice-laptop 30 by uid 0",
                          "revoke_client alice-laptop keyCompromise by uid 0", "remove_client alice-laptop by uid 0"));
  EXPECT_EQ(controller_.change.description, "hers");
}

TEST_F(ClientTest, ThatDoesNotExistIsNotFound) {
  const Reply reply = call(root_.get(), "/org/gatewayd/client/bob", "org.freedesktop.DBus.Properties", "Get",
                           [](sd_bus_message* m) { sd_bus_message_append(m, "ss", dbus::kClientInterface, "Groups"); });
  EXPECT_EQ(reply.error, "org.gatewayd.Error.NotFound");
}

/// Notes the PropertiesChanged signals that a connection gets.
class SignalTest : public ClientTest {
 protected:
  void listen(sd_bus* bus) {
    ASSERT_GE(sd_bus_match_signal(bus, nullptr, dbus::kBusName, nullptr, "org.freedesktop.DBus.Properties",
                                  "PropertiesChanged", on_signal, this),
              0);
  }
  static int on_signal(sd_bus_message* message, void* self, sd_bus_error*) {
    static_cast<SignalTest*>(self)->signals_.push_back(std::string(sd_bus_message_get_path(message)) + " " +
                                                       render(message));
    return 0;
  }
  // Messages of one sender come in order: when the answer is there, the signals before it are, too.
  void settle(sd_bus* bus) { call(bus, "/", "org.freedesktop.DBus.Peer", "Ping"); }

  std::vector<std::string> signals_;
};

TEST_F(SignalTest, TellsWhichPropertiesOfTheManagerMayHaveChangedOnceForManyChanges) {
  listen(root_.get());
  controller_.changed();
  controller_.changed();
  run_until([&] { return !signals_.empty(); });
  settle(root_.get());
  EXPECT_THAT(signals_, ElementsAre(R"(/org/gatewayd "org.gatewayd.Manager1" | {} | ["Name", "AppliedSequence", )"
                                    R"("PolicyGeneration", "FilesDiffer"])"));
}

TEST_F(SignalTest, TellsWhichClientWasChanged) {
  listen(root_.get());
  call(root_.get(), "SetClient", [](sd_bus_message* m) { sd_bus_message_append(m, "sa{sv}", "alice-laptop", 0); });
  settle(root_.get());
  EXPECT_THAT(signals_,
              ElementsAre(std::string(kPath) + R"( "org.gatewayd.Client1" | {} | ["Groups", "Serial", "NotAfter"])"));
}

TEST_F(SignalTest, SaysNothingWhenTheChangeFailed) {
  listen(root_.get());
  controller_.error = Error{EBUSY, "change", "", ""};
  call(root_.get(), "SetClient", [](sd_bus_message* m) { sd_bus_message_append(m, "sa{sv}", "alice-laptop", 0); });
  settle(root_.get());
  EXPECT_THAT(signals_, ::testing::IsEmpty());
}

/// The policy of the real system bus, as packaged.
class BusPolicyTest : public SignalTest {
 protected:
  void SetUp() override {
    SignalTest::SetUp();
    start(std::string(GW_SOURCE_DIR) + "/image/dbus/org.gatewayd.conf");
  }
};

TEST_F(BusPolicyTest, LetsEveryoneAskAndOnlyRootOwnTheName) {
  const auto nobody = connect(kNobody);
  EXPECT_EQ(call(nobody.get(), "GetStatus").error, "org.gatewayd.Error.AccessDenied")
      << "the answer of gatewayd itself";
  EXPECT_EQ(call(root_.get(), "GetStatus").error, "");
  service_.reset();
  server_.reset();
  EXPECT_EQ(sd_bus_request_name(nobody.get(), dbus::kBusName, 0), -EACCES);
}

TEST_F(BusPolicyTest, KeepsSignalsFromSomeoneElse) {
  const auto nobody = connect(kNobody);
  listen(nobody.get());
  controller_.changed();
  std::vector<std::string> of_root;
  ASSERT_GE(sd_bus_match_signal(
                root_.get(), nullptr, dbus::kBusName, nullptr, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                [](sd_bus_message*, void* out, sd_bus_error*) {
                  static_cast<std::vector<std::string>*>(out)->emplace_back("signal");
                  return 0;
                },
                &of_root),
            0);
  controller_.changed();
  run_until([&] { return !of_root.empty(); });
  settle(nobody.get());
  EXPECT_THAT(signals_, ::testing::IsEmpty());
}

}  // namespace
}  // namespace gw::test
