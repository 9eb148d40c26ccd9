// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/seal.h"

#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

constexpr const char* kPassphrase = "correct horse battery";

std::string content() {
  std::string out;
  for (int i = 0; i < 3000; ++i) out += static_cast<char>(i * 7 % 256);
  return out;
}

TEST(Seal, IsOpenedByItsPassphraseAlone) {
  const std::string sealed = value_of(seal(content(), kPassphrase));
  EXPECT_EQ(sealed.find(content().substr(0, 16)), std::string::npos);
  EXPECT_EQ(value_of(unseal(sealed, kPassphrase)), content());
  EXPECT_THAT(refusal(unseal(sealed, "correct horse batterz")), testing::HasSubstr("the passphrase is wrong"));
  EXPECT_THAT(refusal(unseal(sealed, "")), testing::HasSubstr("the passphrase is wrong"));
}

TEST(Seal, HoldsAlsoNothing) { EXPECT_EQ(value_of(unseal(value_of(seal("", kPassphrase)), kPassphrase)), ""); }

TEST(Seal, IsOpenedByTheOpensslProgram) {
  const test::TempDir directory;
  ASSERT_TRUE(write_file_atomically(directory / "sealed", value_of(seal(content(), kPassphrase)), 0600));
  const auto opened = test::run({"openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", directory / "sealed",
                                 "-pwri_password", kPassphrase, "-out", directory / "out"});
  ASSERT_TRUE(opened.ok()) << opened.err;
  EXPECT_EQ(value_of(read_file(directory / "out")), content());
}

TEST(Seal, FindsEveryCut) {
  const std::string sealed = value_of(seal(content(), kPassphrase));
  for (size_t size = 0; size < sealed.size(); size += 101) {
    EXPECT_THAT(refusal(unseal(sealed.substr(0, size), kPassphrase)), testing::HasSubstr("cut short")) << size;
  }
  EXPECT_THAT(refusal(unseal(sealed + "x", kPassphrase)), testing::HasSubstr("cut short"));
}

TEST(Seal, FindsEveryFlippedBitOrTheContentIsTheSame) {
  std::string sealed = value_of(seal(content(), kPassphrase));
  int refused = 0;
  for (size_t at = 0; at < sealed.size(); at += at < 300 ? 17 : 997) {
    sealed[at] = static_cast<char>(sealed[at] ^ 1);
    const auto opened = unseal(sealed, kPassphrase);
    refused += opened ? 0 : 1;
    EXPECT_EQ(opened.value_or(content()), content()) << at;
    sealed[at] = static_cast<char>(sealed[at] ^ 1);
  }
  EXPECT_GT(refused, 15);
}

TEST(Seal, RefusesWhatIsNotAuthenticated) {
  const test::TempDir directory;
  ASSERT_TRUE(write_file_atomically(directory / "plain", content(), 0600));
  const auto made = test::run({"openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-pwri_password", kPassphrase,
                               "-outform", "DER", "-in", directory / "plain", "-out", directory / "sealed"});
  ASSERT_TRUE(made.ok()) << made.err;
  EXPECT_THAT(refusal(unseal(value_of(read_file(directory / "sealed")), kPassphrase)),
              testing::HasSubstr("sealed in another way"));
}

}  // namespace
}  // namespace gw::pki
