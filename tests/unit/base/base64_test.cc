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

TEST(Base64, DecodesWhatItEncodes) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decode(base64(bytes)), bytes) << i;
    bytes += static_cast<char>(i * 7);
  }
  EXPECT_EQ(base64_decode("Zm9v\r\nYmFy\n"), "foobar");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zg==Zg==", "=", "Zm-v", "Zm9v."}) {
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace gw
