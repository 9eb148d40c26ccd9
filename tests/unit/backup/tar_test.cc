// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/backup/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gatewayd/base/file.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::backup {
namespace {

using testing::HasSubstr;

Files some() {
  return {{"backup.json", "{}"},
          {"state/registry.db", std::string(70000, '\x9c')},
          {"state/empty", ""},
          {"state/full", std::string(1024, 'x')}};
}

std::string written(const Files& files) { return *write_tar(files, 1'800'000'000); }

std::string refusal(std::string_view tar) {
  const auto files = read_tar(tar);
  return files ? "accepted" : files.error().message();
}

TEST(Tar, ReadsWhatItWrote) {
  EXPECT_EQ(read_tar(written(some())).value(), some());
  EXPECT_EQ(read_tar(written({})).value(), Files());
}

TEST(Tar, IsUnderstoodByTarAndUnderstandsIt) {
  const test::TempDir directory;
  ASSERT_TRUE(write_file_atomically(directory / "a.tar", written(some()), 0600));
  const auto listed = test::run({"tar", "-tvf", directory / "a.tar"});
  ASSERT_TRUE(listed.ok()) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("70000 2027-01-15"));
  ASSERT_TRUE(test::run({"tar", "-C", directory.path(), "-xf", directory / "a.tar"}).ok());
  EXPECT_EQ(read_file(directory / "state/registry.db"), std::string(70000, '\x9c'));
  const auto again = test::run({"tar", "-C", directory.path(), "--format=ustar", "-cf", directory / "b.tar",
                                "backup.json", "state/registry.db", "state/empty", "state/full"});
  ASSERT_TRUE(again.ok()) << again.err;
  EXPECT_EQ(read_tar(*read_file(directory / "b.tar")).value(), some());
}

TEST(Tar, FindsEveryCut) {
  const std::string whole = written(some());
  for (size_t size = 0; size + 1024 < whole.size(); size += 97) {
    EXPECT_THAT(refusal(std::string_view(whole).substr(0, size)), HasSubstr("cut short")) << size;
  }
}

TEST(Tar, TakesNoNameThatLeadsElsewhere) {
  for (const char* name : {"", "/etc/shadow", "../x", "state/../x", "state//x", "a/", ".ssh", "a/.b", "a\nb", "a b"}) {
    EXPECT_FALSE(is_safe(name)) << name;
    EXPECT_FALSE(write_tar({{name, "x"}}, 0)) << name;
  }
  EXPECT_FALSE(is_safe(std::string(100, 'a')));
  EXPECT_TRUE(is_safe("config/gateway.d/90-gwctl.yaml"));
  // A header with such a name, and the right checksum.
  std::string tar = written({{"aa/shadow", "x"}});
  tar[0] = tar[1] = '.';
  const std::string sum = tar.substr(148, 6);
  const long lower = std::stol(sum, nullptr, 8) - 2 * ('a' - '.');
  char text[8] = {};
  std::snprintf(text, sizeof text, "%06lo", lower);
  tar.replace(148, 6, text);
  EXPECT_THAT(refusal(tar), HasSubstr("name that no backup has"));
}

TEST(Tar, TakesNothingButPlainFiles) {
  const test::TempDir directory;
  ASSERT_TRUE(test::run({"ln", "-s", "/etc/shadow", directory / "link"}).ok());
  ASSERT_TRUE(test::run({"tar", "-C", directory.path(), "--format=ustar", "-cf", directory / "l.tar", "link"}).ok());
  EXPECT_THAT(refusal(*read_file(directory / "l.tar")), HasSubstr("something else than a plain file"));
}

TEST(Tar, TakesNoNameTwiceAndNoDamagedHeader) {
  EXPECT_THAT(refusal(written({{"a", "1"}, {"a", "2"}})), HasSubstr("a is there twice"));
  std::string tar = written(some());
  tar[3] = 'X';
  EXPECT_THAT(refusal(tar), HasSubstr("checksum"));
}

}  // namespace
}  // namespace gw::backup
