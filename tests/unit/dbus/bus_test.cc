// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/dbus/bus_test.h"

#include <grp.h>
#include <unistd.h>

namespace gw::test {

void BusTest::start(const std::string& policy) {
  TearDown();
  daemon_ = std::make_unique<BusDaemon>(policy);
  ASSERT_GE(sd_event_new(&event_), 0);
  ASSERT_EQ(setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon_->address().c_str(), 1), 0);
  auto server = dbus::open_system_bus(event_);
  ASSERT_TRUE(server) << server.error().message();
  server_ = std::move(*server);
  auto service = dbus::Service::attach(server_.get(), controller_, kAdminGroup);
  ASSERT_TRUE(service) << service.error().message();
  service_ = std::move(*service);
  const auto claimed = service_->claim_name();
  ASSERT_TRUE(claimed) << claimed.error().message();
  root_ = connect(kRoot);
}

void BusTest::TearDown() {
  service_.reset();
  root_.reset();
  server_.reset();
  event_ = sd_event_unref(event_);
  daemon_.reset();
}

dbus::Bus BusTest::connect(const Person& person) {
  // The bus asks the kernel for the credentials of the moment of connect().
  EXPECT_EQ(setgroups(person.groups.size(), person.groups.data()), 0) << "this test has to run as root";
  EXPECT_EQ(setegid(person.gid), 0);
  EXPECT_EQ(seteuid(person.uid), 0);
  auto bus = dbus::open_system_bus(event_);
  EXPECT_EQ(seteuid(0), 0);
  EXPECT_EQ(setegid(0), 0);
  EXPECT_EQ(setgroups(0, nullptr), 0);
  EXPECT_TRUE(bus) << bus.error().message();
  return bus ? std::move(*bus) : dbus::Bus{};
}

void BusTest::run_until(const std::function<bool()>& done) {
  constexpr uint64_t kPatienceUs = 10'000'000;
  while (!done()) {
    const int rc = sd_event_run(event_, kPatienceUs);
    ASSERT_GT(rc, 0) << "nothing happened for 10 s";
  }
}

Reply BusTest::call(sd_bus* bus, const char* member, const std::function<void(sd_bus_message*)>& fill) {
  return call(bus, dbus::kManagerPath, dbus::kManagerInterface, member, fill);
}

Reply BusTest::call(sd_bus* bus, const char* path, const char* interface, const char* member,
                    const std::function<void(sd_bus_message*)>& fill, bool interactive, const char* destination) {
  sd_bus_message* raw = nullptr;
  EXPECT_GE(sd_bus_message_new_method_call(bus, &raw, destination, path, interface, member), 0);
  const dbus::Message message(raw);
  if (fill) fill(raw);
  if (interactive) sd_bus_message_set_allow_interactive_authorization(raw, 1);
  dbus::Message answer;
  const auto keep = [](sd_bus_message* reply, void* out, sd_bus_error*) {
    static_cast<dbus::Message*>(out)->reset(sd_bus_message_ref(reply));
    return 0;
  };
  EXPECT_GE(sd_bus_call_async(bus, nullptr, raw, keep, &answer, 0), 0);
  run_until([&] { return answer != nullptr; });
  Reply out;
  if (answer != nullptr && sd_bus_message_is_method_error(answer.get(), nullptr) > 0) {
    out.error = sd_bus_message_get_error(answer.get())->name;
    out.text = sd_bus_message_get_error(answer.get())->message;
  }
  out.message = std::move(answer);
  return out;
}

}  // namespace gw::test
