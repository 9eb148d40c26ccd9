// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/intent_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/support/killed.h"
#include "tests/support/temp_dir.h"

namespace gw::apply {
namespace {

using State = StoredIntent::State;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

config::Files files(const std::string& text) {
  return {{"gateway.yaml", text}, {"gateway.d/90-gwctl.yaml", "rules: []\n"}};
}

class IntentStoreTest : public testing::Test {
 protected:
  IntentStore open() const { return IntentStore::open(directory_ / "intents").value(); }
  StoredIntent applied(IntentStore& store, const std::string& text) const {
    EXPECT_TRUE(store.begin(files(text), "uid 0", 100, 0));
    return store.confirm().value();
  }
  std::string path(uint64_t sequence) const {
    const std::string digits = std::to_string(sequence);
    return (directory_ / "intents/") + std::string(10 - digits.size(), '0') + digits + ".json";
  }

  // Thousands of syncs: in memory. What a kill leaves is the same there.
  test::TempDir directory_{"/dev/shm"};
};

TEST_F(IntentStoreTest, HasNothingAtFirst) {
  const IntentStore store = open();
  EXPECT_FALSE(store.applied());
  EXPECT_FALSE(store.confirmed());
  EXPECT_FALSE(store.rollback_target());
}

TEST_F(IntentStoreTest, GivesBackWhatWasStoredAfterARestart) {
  IntentStore store = open();
  const auto begun = store.begin(files("name: \"contöso\"\n"), "user alice", 1700000000, 1700000060).value();
  EXPECT_EQ(begun.sequence, 1U);
  EXPECT_EQ(open().applied(), begun);
  EXPECT_FALSE(open().confirmed());
  const auto confirmed = store.confirm().value();
  EXPECT_EQ(confirmed.files, files("name: \"contöso\"\n"));
  EXPECT_EQ(open().confirmed(), confirmed);
}

TEST_F(IntentStoreTest, KeepsFilesFromOthersEyes) {
  IntentStore store = open();
  applied(store, "a");
  EXPECT_EQ(std::filesystem::status(path(1)).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(std::filesystem::status(directory_ / "intents").permissions(), std::filesystem::perms(0700));
}

TEST_F(IntentStoreTest, StartsFromTheConfirmedIntentWhileAnotherWaits) {
  IntentStore store = open();
  const auto first = applied(store, "a");
  ASSERT_TRUE(store.begin(files("b"), "uid 0", 200, 260));
  EXPECT_EQ(open().confirmed(), first);
  EXPECT_EQ(open().applied()->files, files("b"));
}

TEST_F(IntentStoreTest, RefusesASecondIntentWhileOneWaits) {
  IntentStore store = open();
  ASSERT_TRUE(store.begin(files("a"), "uid 0", 200, 260));
  const auto second = store.begin(files("b"), "uid 0", 201, 261);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_THAT(second.error().message(), HasSubstr("intent 1 waits for its confirmation"));
}

TEST_F(IntentStoreTest, ConfirmsOnlyWhatWaits) {
  IntentStore store = open();
  EXPECT_EQ(store.confirm().error().code, ENOENT);
  applied(store, "a");
  EXPECT_EQ(store.confirm().error().code, ENOENT);
}

TEST_F(IntentStoreTest, GoesBackFromAnUnconfirmedIntentToTheConfirmedOne) {
  IntentStore store = open();
  const auto first = applied(store, "a");
  ASSERT_TRUE(store.begin(files("b"), "uid 0", 200, 260));
  EXPECT_EQ(store.roll_back().value(), first);
  EXPECT_EQ(open().applied(), first);
  EXPECT_EQ(open().confirmed(), first);
}

TEST_F(IntentStoreTest, GoesBackStepByStepOverConfirmedIntents) {
  IntentStore store = open();
  applied(store, "a");
  applied(store, "b");
  applied(store, "c");
  EXPECT_EQ(store.rollback_target()->files, files("b"));
  EXPECT_EQ(store.roll_back()->files, files("b"));
  EXPECT_EQ(store.roll_back()->files, files("a"));
  EXPECT_EQ(store.roll_back().error().code, ENOENT);
  EXPECT_EQ(open().confirmed()->files, files("a"));
}

TEST_F(IntentStoreTest, NeverUsesASequenceTwice) {
  IntentStore store = open();
  applied(store, "a");
  applied(store, "b");
  ASSERT_TRUE(store.roll_back());
  EXPECT_EQ(applied(store, "c").sequence, 3U);
  IntentStore again = open();
  EXPECT_EQ(applied(again, "d").sequence, 4U);
  EXPECT_EQ(again.rollback_target()->files, files("c"));
}

TEST_F(IntentStoreTest, KeepsTheNewestTwentyAndTheConfirmedOne) {
  IntentStore store = open();
  const auto confirmed = applied(store, "kept");
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(store.begin(files(std::to_string(i)), "uid 0", 200, 260));
    ASSERT_TRUE(store.roll_back());
  }
  EXPECT_EQ(store.all().size(), IntentStore::kKept);
  EXPECT_EQ(open().all(), store.all());
  EXPECT_EQ(store.confirmed(), confirmed);
  EXPECT_EQ(store.all().back().sequence, 31U);
}

TEST_F(IntentStoreTest, SkipsADamagedFileAndSaysWhich) {
  IntentStore store = open();
  const auto first = applied(store, "a");
  applied(store, "b");
  std::filesystem::resize_file(path(2), 40);
  IntentStore again = open();
  EXPECT_THAT(again.warnings(), ElementsAre(HasSubstr(path(2))));
  EXPECT_EQ(again.confirmed(), first);
  EXPECT_EQ(applied(again, "c").sequence, 3U);
}

TEST_F(IntentStoreTest, SkipsAFileThatWasCopiedUnderAnotherNumber) {
  IntentStore store = open();
  const auto first = applied(store, "a");
  std::filesystem::copy_file(path(1), path(5));
  EXPECT_THAT(open().warnings(), ElementsAre(HasSubstr("it says it is number 1")));
  EXPECT_EQ(open().all(), std::vector{first});
}

TEST_F(IntentStoreTest, LeavesNothingBehindWhenTheTextIsNotUtf8) {
  IntentStore store = open();
  const auto refused = store.begin(files("\xff\xfe"), "uid 0", 1, 0);
  EXPECT_EQ(refused.error().code, EILSEQ);
  EXPECT_THAT(store.all(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "intents"));
}

TEST_F(IntentStoreTest, RemovesTheTemporaryFilesOfACrashAndNoOthers) {
  IntentStore store = open();
  std::ofstream(path(1) + ".Ab12Cd") << "half";
  std::ofstream(directory_ / "intents/notes.txt") << "mine";
  open();
  EXPECT_FALSE(std::filesystem::exists(path(1) + ".Ab12Cd"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "intents/notes.txt"));
}

/// What can be seen from outside: sequence and state of each.
std::vector<std::pair<uint64_t, State>> summary(const IntentStore& store) {
  std::vector<std::pair<uint64_t, State>> result;
  for (const StoredIntent& intent : store.all()) result.emplace_back(intent.sequence, intent.state);
  return result;
}

/// Apply, confirm, apply, confirm, roll back, apply with a deadline, roll back, apply.
constexpr int kSteps = 8;
bool step(IntentStore& store, int n) {
  switch (n) {
    case 0:
    case 2:
    case 5:
    case 7:
      return store.begin(files(std::string(20000, 'x')), "uid 0", n, n + 60).has_value();
    case 1:
    case 3:
      return store.confirm().has_value();
    default:
      return store.roll_back().has_value();
  }
}

TEST_F(IntentStoreTest, IsAsBeforeOrAfterTheStepDuringWhichItIsKilled) {
  const std::string lived = directory_ / "lived";
  std::vector<std::vector<std::pair<uint64_t, State>>> whole;
  IntentStore model = IntentStore::open(directory_ / "model").value();
  whole.push_back(summary(model));
  for (int n = 0; n < kSteps; ++n) {
    ASSERT_TRUE(step(model, n));
    whole.push_back(summary(model));
  }
  const auto live = [&] {
    auto store = IntentStore::open(lived);
    for (int n = 0; store && n < kSteps; ++n) {
      if (!step(*store, n)) ::_exit(1);
    }
  };
  const auto check = [&] {
    const IntentStore found = IntentStore::open(lived).value();
    EXPECT_THAT(found.warnings(), IsEmpty());
    EXPECT_THAT(whole, Contains(summary(found)));
    for (const StoredIntent& intent : found.all()) EXPECT_EQ(intent.files, files(std::string(20000, 'x')));
  };
  const int killed = test::kill_at_every_system_call([&] { std::filesystem::remove_all(lived); }, live, check);
  EXPECT_GT(killed, 8 * kSteps);
}

}  // namespace
}  // namespace gw::apply
