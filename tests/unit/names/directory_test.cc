// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/names/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "gatewayd/base/file.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/names/office.h"

namespace gw::names {
namespace {

using testing::HasSubstr;

class DirectoryTest : public testing::Test {
 protected:
  [[nodiscard]] std::string text(const std::string& name) const { return read_file(path(name)).value_or("none"); }
  [[nodiscard]] std::string path(const std::string& name) const { return run_ / ("names/" + name); }
  [[nodiscard]] ino_t inode(const std::string& name) const {
    struct stat info = {};
    EXPECT_EQ(::stat(path(name).c_str(), &info), 0) << name;
    return info.st_ino;
  }
  test::TempDir run_;
  Directory directory_{run_.path()};
};

TEST_F(DirectoryTest, HoldsBothFilesForAnotherUserToRead) {
  const mode_t before = ::umask(0077);
  const auto put = directory_.put(office(), {});
  ::umask(before);
  ASSERT_TRUE(put) << put.error().message();
  EXPECT_EQ(text("dnsmasq.conf"), server_file(office(), path("hosts.d")));
  EXPECT_EQ(text("hosts.d/hosts"), hosts_file(office(), {}));
  for (const char* name : {"", "hosts.d", "hosts.d/hosts", "dnsmasq.conf"}) {
    const auto mode = std::filesystem::status(path(name)).permissions();
    EXPECT_NE(mode & std::filesystem::perms::others_read, std::filesystem::perms::none) << name;
  }
  // dnsmasq reads all that is there: a file on its way must not be.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("hosts.d")), {}), 1);
}

TEST_F(DirectoryTest, WritesWhatChangedAndNothingElse) {
  ASSERT_TRUE(directory_.put(office(), {}));
  const ino_t server = inode("dnsmasq.conf");
  const ino_t hosts = inode("hosts.d/hosts");
  ASSERT_TRUE(directory_.put(office(), {}));
  EXPECT_EQ(inode("hosts.d/hosts"), hosts);
  const std::vector<Entry> clients = {{"alice", {address("172.16.201.3")}}};
  ASSERT_TRUE(directory_.put(office(), clients));
  EXPECT_NE(inode("hosts.d/hosts"), hosts);
  EXPECT_THAT(text("hosts.d/hosts"), HasSubstr("alice"));
  EXPECT_EQ(inode("dnsmasq.conf"), server) << "this one starts the server anew";
  // Also after a restart.
  Directory again(run_.path());
  ASSERT_TRUE(again.put(office(), clients));
  EXPECT_EQ(inode("dnsmasq.conf"), server);
}

TEST_F(DirectoryTest, LosesTheFilesWithTheDomain) {
  config::Config none = office();
  none.vpn.dns.reset();
  EXPECT_TRUE(directory_.put(none, {})) << "where there never was one";
  ASSERT_TRUE(directory_.put(office(), {}));
  ASSERT_TRUE(directory_.put(none, {}));
  EXPECT_FALSE(std::filesystem::exists(path("dnsmasq.conf")));
  EXPECT_FALSE(std::filesystem::exists(path("hosts.d/hosts")));
  ASSERT_TRUE(directory_.put(office(), {}));
  EXPECT_EQ(text("dnsmasq.conf"), server_file(office(), path("hosts.d")));
}

}  // namespace
}  // namespace gw::names
