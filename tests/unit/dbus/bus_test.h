// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gatewayd/dbus/bus.h"
#include "gatewayd/dbus/errors.h"
#include "gatewayd/dbus/message.h"
#include "gatewayd/dbus/names.h"
#include "gatewayd/dbus/service.h"
#include "tests/support/bus_daemon.h"
#include "tests/unit/dbus/fake_controller.h"

namespace gw::test {

/// What came back for a call: the message, or the name and text of the error.
struct Reply {
  dbus::Message message;
  std::string error;
  std::string text;
};

/// Who a connection is, as the bus sees it.
struct Person {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
inline const Person kRoot{0, 0, {0}};
inline const Person kNobody{65534, 65534, {65534}};

/// A bus of its own with the Service on it over a fake Controller; callers live on the same event loop, so a test is
/// one thread. The admin group is "daemon", a group that every Debian has.
class BusTest : public ::testing::Test {
 protected:
  static constexpr const char* kAdminGroup = "daemon";

  void SetUp() override { start({}); }
  void start(const std::string& policy);
  void TearDown() override;

  /// A connection of `person`.
  dbus::Bus connect(const Person& person);
  /// Calls `member`; `fill` appends the arguments. Runs the loop until the answer is there.
  Reply call(sd_bus* bus, const char* member, const std::function<void(sd_bus_message*)>& fill = {});
  Reply call(sd_bus* bus, const char* path, const char* interface, const char* member,
             const std::function<void(sd_bus_message*)>& fill = {}, bool interactive = false,
             const char* destination = dbus::kBusName);
  void run_until(const std::function<bool()>& done);

  std::unique_ptr<BusDaemon> daemon_;
  sd_event* event_ = nullptr;
  FakeController controller_;
  dbus::Bus server_;
  std::unique_ptr<dbus::Service> service_;
  dbus::Bus root_;
};

}  // namespace gw::test
