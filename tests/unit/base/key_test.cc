// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/key.h"

#include <gtest/gtest.h>

namespace gw {
namespace {

TEST(PublicKey, PrintsTheTextItWasReadFrom) {
  const std::string text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";  // a key of `wg pubkey`
  const auto key = PublicKey::parse(text);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->str(), text);
}

TEST(PublicKey, RefusesTextThatIsNotCanonicalBase64Of32Bytes) {
  EXPECT_FALSE(PublicKey::parse(""));
  EXPECT_FALSE(PublicKey::parse("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D="));
  EXPECT_FALSE(PublicKey::parse("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dh="));  // spare bits set
  EXPECT_FALSE(PublicKey::parse("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D!="));
}

TEST(PublicKey, KnowsThePointsOfLowOrder) {
  EXPECT_TRUE(PublicKey{}.is_low_order());
  PublicKey one{};
  one.bytes[0] = 1;
  EXPECT_TRUE(one.is_low_order());
  one.bytes[31] = 0x80;  // the ignored bit does not hide it
  EXPECT_TRUE(one.is_low_order());
  EXPECT_TRUE(PublicKey::parse("4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=")->is_low_order());
  EXPECT_FALSE(PublicKey::parse("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=")->is_low_order());
}

TEST(SecretKey, ComparesByValue) {
  const auto a = SecretKey::parse("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=");
  ASSERT_TRUE(a);
  EXPECT_TRUE(*a == SecretKey(a->reveal()));
  EXPECT_FALSE(*a == SecretKey());
  EXPECT_EQ(a->reveal_base64(), "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=");
}

}  // namespace
}  // namespace gw
