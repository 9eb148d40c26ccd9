// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/backup/switch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "gatewayd/base/file.h"
#include "tests/support/killed.h"
#include "tests/support/temp_dir.h"

namespace gw::backup {
namespace {

namespace fs = std::filesystem;

void require(const Result<void>& done) {
  if (!done) throw std::runtime_error(done.error().message());
}

class SwitchTest : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) const {
    const std::string path = directory_ / name;
    fs::create_directories(fs::path(path).parent_path());
    require(write_file_atomically(path, text, 0600));
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_file(directory_ / name).value_or("none");
  }
  void old_state() const {
    fs::remove_all(directory_ / "state");
    fs::remove_all(directory_ / "etc");
    for (const char* name :
         {"state/registry.db", "state/registry.db-wal", "state/wireguard.key", "state/intents/0000000001.json",
          "state/registry.db.schema-2", "etc/gateway.yaml", "etc/gateway.d/10-old.yaml"}) {
      put(name, "old");
    }
  }
  /// All of the old, all of the new, or "mixed".
  [[nodiscard]] std::string which() const {
    const std::string first = text("state/registry.db");
    const bool fresh = first == "new";
    bool whole = text("state/wireguard.key") == first && text("etc/gateway.yaml") == first;
    whole &= text("state/registry.db-wal") == (fresh ? "none" : "old");
    whole &= text("state/intents/0000000001.json") == (fresh ? "none" : "old");
    whole &= text("state/intents/0000000009.json") == (fresh ? "new" : "none");
    whole &= text("etc/gateway.d/10-old.yaml") == (fresh ? "none" : "old");
    whole &= text("etc/gateway.d/90-gwctl.yaml") == (fresh ? "new" : "none");
    return whole ? first : "mixed";
  }
  [[nodiscard]] std::string state() const { return directory_ / "state"; }
  [[nodiscard]] std::string config() const { return directory_ / "etc"; }
  Result<void> finish() const {
    if (auto done = finish_configuration(state(), config()); !done) return done;
    return finish_state(state(), true);
  }
  static Files fresh() {
    Files files;
    for (const char* name : {"state/registry.db", "state/wireguard.key", "state/intents/0000000009.json",
                             "config/gateway.yaml", "config/gateway.d/90-gwctl.yaml"}) {
      files.emplace_back(name, "new");
    }
    return files;
  }

  test::TempDir directory_{"/dev/shm"};
};

TEST_F(SwitchTest, ChangesNothingBeforeItIsCommitted) {
  old_state();
  require(stage(state(), fresh(), "one"));
  EXPECT_EQ(which(), "old");
  require(finish());
  EXPECT_EQ(which(), "old");
  EXPECT_FALSE(fs::exists(staging_directory(state()))) << "what was not committed is forgotten";
}

TEST_F(SwitchTest, ReplacesEverythingAndKeepsWhatWasThere) {
  old_state();
  require(stage(state(), fresh(), "one"));
  require(commit(state()));
  EXPECT_TRUE(is_pending(state()));
  require(finish());
  EXPECT_EQ(which(), "new");
  EXPECT_FALSE(is_pending(state()));
  EXPECT_EQ(text("state/before-restore/registry.db-wal"), "old");
  EXPECT_EQ(text("state/before-restore/wireguard.key"), "old");
  EXPECT_EQ(text("etc/before-restore-one/gateway.yaml"), "old");
  EXPECT_EQ(text("etc/before-restore-one/gateway.d/10-old.yaml"), "old");
  EXPECT_EQ(text("state/registry.db.schema-2"), "old") << "no piece of the state";
}

TEST_F(SwitchTest, WorksWhereNothingWasBefore) {
  fs::create_directories(state());
  require(stage(state(), fresh(), "one"));
  require(commit(state()));
  require(finish());
  EXPECT_EQ(which(), "new");
}

TEST_F(SwitchTest, ASecondOneWaitsForTheFirst) {
  old_state();
  require(stage(state(), fresh(), "one"));
  require(commit(state()));
  require(stage(state(), fresh(), "two"));
  EXPECT_FALSE(commit(state()));
  require(finish());
  require(stage(state(), fresh(), "two"));
  require(commit(state()));
  require(finish());
  EXPECT_EQ(which(), "new");
}

TEST_F(SwitchTest, LeavesTheOldOrTheNewWhereverItIsKilled) {
  int old = 0, fresh_ones = 0;
  const int killed = test::kill_at_every_system_call([&] { old_state(); },
                                                     [&] {
                                                       (void)stage(state(), fresh(), "one");
                                                       (void)commit(state());
                                                       (void)finish();
                                                     },
                                                     [&] {
                                                       require(finish());
                                                       const std::string found = which();
                                                       ASSERT_NE(found, "mixed");
                                                       found == "old" ? ++old : ++fresh_ones;
                                                     });
  EXPECT_GT(killed, 100);
  EXPECT_GT(old, 50);
  EXPECT_GT(fresh_ones, 50);
}

TEST_F(SwitchTest, FollowsNoLinkOutOfTheState) {
  old_state();
  put("secret", "of root");
  require(stage(state(), fresh(), "one"));
  require(commit(state()));
  fs::remove(directory_ / "state/restore/config/gateway.yaml");
  fs::create_symlink(directory_ / "secret", directory_ / "state/restore/config/gateway.yaml");
  EXPECT_FALSE(finish_configuration(state(), config()));
  EXPECT_EQ(text("etc/gateway.yaml"), "old");
}

}  // namespace
}  // namespace gw::backup
