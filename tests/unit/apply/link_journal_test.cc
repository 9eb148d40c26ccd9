// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/link_journal.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace gw::apply {
namespace {

TEST(LinkJournal, NamesTheDeviceThatWasBeingMade) {
  std::string directory = testing::TempDir() + "apply-journal-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  LinkJournal journal(directory);
  EXPECT_FALSE(journal.was_beginning("wg0"));
  ASSERT_TRUE(journal.begin("wg0"));
  EXPECT_TRUE(LinkJournal(directory).was_beginning("wg0"));
  EXPECT_FALSE(journal.was_beginning("wg"));
  ASSERT_TRUE(journal.end());
  EXPECT_FALSE(journal.was_beginning("wg0"));
  EXPECT_TRUE(journal.end());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace gw::apply
