// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/errors.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "gatewayd/dbus/message.h"

namespace gw::dbus {
namespace {

TEST(ErrorName, FollowsTheMeaningOfErrno) {
  EXPECT_STREQ(error_name(ENOENT), "org.gatewayd.Error.NotFound");
  EXPECT_STREQ(error_name(EEXIST), "org.gatewayd.Error.AlreadyExists");
  EXPECT_STREQ(error_name(EINVAL), "org.gatewayd.Error.InvalidArgument");
  EXPECT_STREQ(error_name(EPERM), "org.gatewayd.Error.NotAllowed");
  EXPECT_STREQ(error_name(EACCES), "org.gatewayd.Error.AccessDenied");
  EXPECT_STREQ(error_name(ENOSPC), "org.gatewayd.Error.Exhausted");
  EXPECT_STREQ(error_name(EBUSY), "org.gatewayd.Error.Busy");
  EXPECT_STREQ(error_name(EKEYREJECTED), "org.gatewayd.Error.InvalidCertificate");
  EXPECT_STREQ(error_name(EIO), "org.gatewayd.Error.Failed");
}

TEST(ValidUtf8, KeepsWhatIsValidAndReplacesEveryOtherByte) {
  for (const char* valid : {"", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(valid_utf8(valid), valid);
  }
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(valid_utf8("\xe0\x80\x80"), "???") << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
  EXPECT_EQ(valid_utf8("a\xe2\x82"), "a??") << "cut off";
  EXPECT_EQ(valid_utf8(std::string_view("a\0b", 3)), "a?b");
}

}  // namespace
}  // namespace gw::dbus
