// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/wireguard_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "gatewayd/base/file.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

class WireGuardKeyTest : public ::testing::Test {
 protected:
  [[nodiscard]] unsigned mode() const {
    struct stat info{};
    return ::stat(path_.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
  }
  TempDir directory_;
  std::string path_ = directory_ / "wireguard.key";
};

TEST_F(WireGuardKeyTest, IsMadeOnceAndReadAfterwards) {
  const auto made = control::open_wireguard_keys(path_);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(mode(), 0600U);
  const auto again = control::open_wireguard_keys(path_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key, made->public_key);
  EXPECT_EQ(again->secret, made->secret);
  EXPECT_EQ(read_file(path_).value(), made->secret.reveal_base64() + "\n") << "as wg genkey writes it";
}

TEST_F(WireGuardKeyTest, IsHiddenFromOthers) {
  ASSERT_TRUE(control::open_wireguard_keys(path_));
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  ASSERT_TRUE(control::open_wireguard_keys(path_));
  EXPECT_EQ(mode(), 0600U);
}

TEST_F(WireGuardKeyTest, ThatIsDamagedIsToldAndLeftAlone) {
  ASSERT_TRUE(write_file_atomically(path_, "not a key\n", 0600));
  const auto keys = control::open_wireguard_keys(path_);
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, EUCLEAN);
  EXPECT_EQ(read_file(path_).value(), "not a key\n");
}

}  // namespace
}  // namespace gw::test
