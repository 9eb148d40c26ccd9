// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/wire/json.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

namespace gw::wire {
namespace {

/// A message that nobody sends. sd-bus wants a started connection for one; a socket pair is enough.
class Wire : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_), 0);
    ASSERT_GE(sd_bus_new(&bus_), 0);
    ASSERT_GE(sd_bus_set_fd(bus_, ends_[0], ends_[0]), 0);
    ASSERT_GE(sd_bus_start(bus_), 0);
    ASSERT_GE(sd_bus_message_new_method_call(bus_, &message_, "a.b", "/a", "a.b", "C"), 0);
  }
  void TearDown() override {
    sd_bus_message_unref(message_);
    sd_bus_close_unref(bus_);
    close(ends_[1]);
  }
  Json decoded() {
    EXPECT_GE(sd_bus_message_seal(message_, 1, 0), 0);
    Json out;
    EXPECT_GE(decode(message_, out), 0);
    return out;
  }

  int ends_[2] = {-1, -1};
  sd_bus* bus_ = nullptr;
  sd_bus_message* message_ = nullptr;
};

TEST_F(Wire, ReadsEveryBasicTypeAsItsJsonCounterpart) {
  ASSERT_GE(
      sd_bus_message_append(message_, "ybnqiuxtdsog", 7, 1, -2, 65535, -70000, 4000000000U, int64_t{-5'000'000'000},
                            uint64_t{18'000'000'000'000'000'000U}, 1.5, "text", "/org/gatewayd", "a{sv}"),
      0);
  EXPECT_EQ(decoded(), Json::parse(R"([7, true, -2, 65535, -70000, 4000000000, -5000000000, 18000000000000000000, 1.5,
                                       "text", "/org/gatewayd", "a{sv}"])"));
}

TEST_F(Wire, ReadsListsOfDictionariesWithinVariants) {
  ASSERT_GE(sd_bus_message_append(message_, "a{sv}", 3, "interfaces", "aa{sv}", 2, 1, "name", "s", "wg0", 0, "drops",
                                  "a{st}", 1, "no rule", uint64_t{12}, "tuple", "(sa{uv})", "x", 1, 5, "as", 1, "y"),
            0);
  EXPECT_EQ(decoded(), Json::parse(R"([{"interfaces": [{"name": "wg0"}, {}], "drops": {"no rule": 12},
                                        "tuple": ["x", {"5": ["y"]}]}])"));
}

TEST_F(Wire, ReadsBytesAsABinaryValue) {
  const uint8_t der[] = {0x30, 0x00, 0xff};
  ASSERT_GE(sd_bus_message_append_array(message_, 'y', der, sizeof der), 0);
  EXPECT_EQ(decoded(), Json::array({Json::binary({0x30, 0x00, 0xff})}));
}

TEST_F(Wire, ReadsAMessageWithoutArgumentsAsAnEmptyList) { EXPECT_EQ(decoded(), Json::array()); }

TEST_F(Wire, ReadsBackWhatItWrote) {
  const Json arguments =
      Json::parse(R"(["web", {"prefixes": ["10.1.1.0/24"], "vlan": 20, "log": true, "none": [], "past": -1,
                                         "large": 5000000000, "pools": [{"size": 251}], "drops": {"a": 1}}, 7])");
  ASSERT_GE(encode(message_, "sa{sv}u", arguments), 0);
  EXPECT_STREQ(sd_bus_message_get_signature(message_, 1), "sa{sv}u");
  EXPECT_EQ(decoded(), arguments);
}

TEST_F(Wire, WritesAVariantInTheTypeThatFollowsFromItsValue) {
  ASSERT_GE(encode(message_, "a{sv}", Json::parse(R"([{"groups": []}])")), 0);
  ASSERT_GE(sd_bus_message_seal(message_, 1, 0), 0);
  ASSERT_GT(sd_bus_message_enter_container(message_, 'a', "{sv}"), 0);
  ASSERT_GT(sd_bus_message_enter_container(message_, 'e', "sv"), 0);
  ASSERT_GT(sd_bus_message_skip(message_, "s"), 0);
  char type = 0;
  const char* contents = nullptr;
  ASSERT_GT(sd_bus_message_peek_type(message_, &type, &contents), 0);
  EXPECT_STREQ(contents, "as");
}

TEST_F(Wire, RefusesArgumentsThatAreNotOfTheirTypes) {
  EXPECT_EQ(encode(message_, "u", Json::array({-1})), -EINVAL);
  EXPECT_EQ(encode(message_, "u", Json::array({uint64_t{1} << 32U})), -EINVAL);
  EXPECT_EQ(encode(message_, "s", Json::array({true})), -EINVAL);
  EXPECT_EQ(encode(message_, "b", Json::array({"yes"})), -EINVAL);
  EXPECT_EQ(encode(message_, "ss", Json::array({"one"})), -EINVAL);
  EXPECT_EQ(encode(message_, "", Json::array({"one"})), -EINVAL);
}

}  // namespace
}  // namespace gw::wire
