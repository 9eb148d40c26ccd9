// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/link_journal.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace gw::apply {
namespace {

TEST(LinkJournal, NamesTheDeviceThatWasBeingMade) {
  const test::TempDir directory;
  LinkJournal journal(directory.path());
  EXPECT_FALSE(journal.was_beginning("wg0"));
  ASSERT_TRUE(journal.begin("wg0"));
  EXPECT_TRUE(LinkJournal(directory.path()).was_beginning("wg0"));
  EXPECT_FALSE(journal.was_beginning("wg"));
  ASSERT_TRUE(journal.end());
  EXPECT_FALSE(journal.was_beginning("wg0"));
  EXPECT_TRUE(journal.end());
}

}  // namespace
}  // namespace gw::apply
