// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/base64.h"

#include <gtest/gtest.h>

#include <vector>

namespace gw {
namespace {

std::string of(std::string_view text) { return base64(std::vector<uint8_t>(text.begin(), text.end())); }

TEST(Base64, EncodesTheVectorsOfTheRfc) {
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foo"), "Zm9v");
  EXPECT_EQ(of("foob"), "Zm9vYg==");
  EXPECT_EQ(of("fooba"), "Zm9vYmE=");
  EXPECT_EQ(of("foobar"), "Zm9vYmFy");
}

TEST(Base64, EncodesBytesAboveSevenBits) { EXPECT_EQ(base64(std::vector<uint8_t>{0xff, 0xfe, 0xfb}), "//77"); }

}  // namespace
}  // namespace gw
