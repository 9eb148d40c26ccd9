// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/dns.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/support/bus_daemon.h"
#include "tests/unit/connect/sample.h"

namespace gw::connect {
namespace {

using gw::test::must;
using testing::ElementsAre;
using testing::HasSubstr;

/// What systemd-resolved has on the bus, as far as gwconnect asks; it writes down what it is told.
class FakeResolved {
 public:
  explicit FakeResolved(const std::string& address) {
    sd_bus_new(&bus_);
    sd_bus_set_address(bus_, address.c_str());
    sd_bus_set_bus_client(bus_, 1);
    const int r = std::min({sd_bus_start(bus_),
                            sd_bus_add_object_vtable(bus_, nullptr, "/org/freedesktop/resolve1",
                                                     "org.freedesktop.resolve1.Manager", kManager, this),
                            sd_bus_add_object_vtable(bus_, nullptr, "/org/freedesktop/resolve1/link/_37",
                                                     "org.freedesktop.resolve1.Link", kLink, this),
                            sd_bus_request_name(bus_, "org.freedesktop.resolve1", 0)});
    if (r < 0) throw std::system_error(-r, std::generic_category(), "fake resolved");
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        while (sd_bus_process(bus_, nullptr) > 0) {
        }
        sd_bus_wait(bus_, 20'000);
      }
    });
  }
  FakeResolved(const FakeResolved&) = delete;
  FakeResolved& operator=(const FakeResolved&) = delete;
  ~FakeResolved() {
    thread_.request_stop();
    thread_.join();
    sd_bus_flush_close_unref(bus_);
  }
  std::vector<std::string> calls() {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }

 private:
  int note(sd_bus_message* message, std::string text) {
    const std::scoped_lock lock(mutex_);
    calls_.push_back(std::string(sd_bus_message_get_member(message)) + " " + std::move(text));
    return sd_bus_reply_method_return(message, nullptr);
  }
  static int set_dns(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    int index = 0;
    sd_bus_message_read(message, "i", &index);
    std::string text = std::to_string(index);
    sd_bus_message_enter_container(message, 'a', "(iay)");
    while (sd_bus_message_enter_container(message, 'r', "iay") > 0) {
      int family = 0;
      const void* bytes = nullptr;
      size_t size = 0;
      sd_bus_message_read(message, "i", &family);
      sd_bus_message_read_array(message, 'y', &bytes, &size);
      IpAddress address;
      address.family = size == 4 ? Family::v4 : Family::v6;
      std::copy_n(static_cast<const uint8_t*>(bytes), size, address.bytes.begin());
      text += " " + std::to_string(family) + ":" + address.str();
      sd_bus_message_exit_container(message);
    }
    auto* fake = static_cast<FakeResolved*>(self);
    fake->has_servers_ = true;
    return fake->note(message, text);
  }
  static int set_domains(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    int index = 0;
    sd_bus_message_read(message, "i", &index);
    std::string text = std::to_string(index);
    sd_bus_message_enter_container(message, 'a', "(sb)");
    const char* domain = nullptr;
    int routing = 0;
    while (sd_bus_message_read(message, "(sb)", &domain, &routing) > 0)
      text += std::string(routing != 0 ? " ~" : " ") + domain;
    return static_cast<FakeResolved*>(self)->note(message, text);
  }
  static int set_default(sd_bus_message* message, void* self, sd_bus_error* error) {
    int index = 0;
    int yes = 0;
    sd_bus_message_read(message, "ib", &index, &yes);
    if (index == 13) return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "not you");
    return static_cast<FakeResolved*>(self)->note(message, std::to_string(index) + (yes != 0 ? " yes" : " no"));
  }
  static int get_link(sd_bus_message* message, void* /*self*/, sd_bus_error* /*error*/) {
    return sd_bus_reply_method_return(message, "o", "/org/freedesktop/resolve1/link/_37");
  }
  static int get_dns(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/, const char* /*property*/,
                     sd_bus_message* reply, void* self, sd_bus_error* /*error*/) {
    const uint8_t bytes[4] = {1, 2, 3, 4};
    int r = sd_bus_message_open_container(reply, 'a', "(iay)");
    if (static_cast<FakeResolved*>(self)->has_servers_) {
      r = sd_bus_message_open_container(reply, 'r', "iay");
      r = sd_bus_message_append(reply, "i", AF_INET);
      r = sd_bus_message_append_array(reply, 'y', bytes, sizeof bytes);
      r = sd_bus_message_close_container(reply);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
  }

  static const sd_bus_vtable kManager[];
  static const sd_bus_vtable kLink[];
  sd_bus* bus_ = nullptr;
  std::atomic<bool> has_servers_ = false;
  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::jthread thread_;
};

const sd_bus_vtable FakeResolved::kManager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("SetLinkDNS", "ia(iay)", "", set_dns, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("SetLinkDomains", "ia(sb)", "", set_domains, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("SetLinkDefaultRoute", "ib", "", set_default, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("GetLink", "i", "o", get_link, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};
const sd_bus_vtable FakeResolved::kLink[] = {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("DNS", "a(iay)", get_dns, 0, 0),
                                             SD_BUS_VTABLE_END};

class ConnectDns : public testing::Test {
 protected:
  ConnectDns() { ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_.address().c_str(), 1); }
  ~ConnectDns() override { ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS"); }
  gw::test::BusDaemon bus_;
  Resolved resolved_;
};

TEST_F(ConnectDns, OfASplitTunnelIsForItsDomainAlone) {
  FakeResolved fake(bus_.address());
  Profile profile = test::sample_profile();
  profile.dns.push_back(test::ip("fd6d:706e:6c61::1"));
  EXPECT_FALSE(must(resolved_.has_servers(7)));
  must(resolved_.keep(7, profile));
  EXPECT_THAT(fake.calls(), ElementsAre("SetLinkDNS 7 2:172.16.201.1 10:fd6d:706e:6c61::1",
                                        "SetLinkDomains 7 ~vpn.internal", "SetLinkDefaultRoute 7 no"));
  EXPECT_TRUE(must(resolved_.has_servers(7)));
}

TEST_F(ConnectDns, OfAFullTunnelIsForEveryName) {
  FakeResolved fake(bus_.address());
  Profile profile = test::sample_profile();
  profile.full = true;
  must(resolved_.keep(7, profile));
  EXPECT_THAT(fake.calls(), ElementsAre("SetLinkDNS 7 2:172.16.201.1", "SetLinkDomains 7 vpn.internal ~.",
                                        "SetLinkDefaultRoute 7 yes"));
}

TEST_F(ConnectDns, WithoutServersIsTakenAway) {
  FakeResolved fake(bus_.address());
  Profile profile = test::sample_profile();
  profile.full = true;
  profile.dns.clear();
  must(resolved_.keep(7, profile));
  EXPECT_THAT(fake.calls(), ElementsAre("SetLinkDNS 7", "SetLinkDomains 7", "SetLinkDefaultRoute 7 no"));
}

TEST_F(ConnectDns, WithoutSystemdResolvedIsNotSetAndSaidSo) {
  const auto kept = resolved_.keep(7, test::sample_profile());
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ENOTSUP);
  EXPECT_THAT(kept.error().detail, HasSubstr("systemd-resolved does not run here"));
  bus_.stop();
  Resolved fresh;
  EXPECT_EQ(fresh.keep(7, test::sample_profile()).error().code, ENOTSUP);
}

TEST_F(ConnectDns, ARefusalIsToldInItsOwnWords) {
  FakeResolved fake(bus_.address());
  const auto kept = resolved_.keep(13, test::sample_profile());
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, EACCES);
  EXPECT_THAT(kept.error().message(), HasSubstr("not you"));
}

}  // namespace
}  // namespace gw::connect
