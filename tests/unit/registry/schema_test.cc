// SPDX-License-Identifier: Apache-2.0
// Files of other versions of gatewayd: what an update, and the update that is taken back, find.
#include "gatewayd/registry/schema.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "gatewayd/base/file.h"
#include "tests/support/killed.h"
#include "tests/support/process.h"
#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

using testing::HasSubstr;

constexpr const char* kRecorded = GW_SOURCE_DIR "/tests/unit/registry/recorded/";

class SchemaTest : public RegistryTest {
 protected:
  /// A file as the program of schema 2 left it, with alice, bob (revoked) and a block.
  void SetUp() override { run(std::string(kRecorded) + "schema_2.sql", path()); }

  static void run(const std::string& script, const std::string& database) {
    const auto done = test::run({"sqlite3", "-bail", database, ".read " + script});
    ASSERT_TRUE(done.ok()) << done.err;
    ASSERT_EQ(done.err, "");
  }
  static std::string sql(const std::string& database, const std::string& text) {
    const auto done = test::run({"sqlite3", "-bail", database, text});
    EXPECT_TRUE(done.ok()) << done.err;
    return done.out;
  }
  static std::vector<std::string> names(const std::vector<Client>& clients) {
    std::vector<std::string> out;
    for (const Client& client : clients) out.push_back(client.name);
    return out;
  }
};

TEST_F(SchemaTest, AFileOfSchema2IsTakenOnWholeAndACopyIsKept) {
  {
    const Registry registry = open();
    EXPECT_THAT(names(value_of(registry.clients())), testing::ElementsAre("alice", "bob"));
    EXPECT_NE(value_of(registry.client("bob")).revoked_at, 0);
    EXPECT_EQ(value_of(registry.blocks()).size(), 1U);
    EXPECT_EQ(registry.time_floor(), 1799999000);
  }
  const std::string copy = path() + ".schema-2";
  struct stat facts{};
  ASSERT_EQ(::stat(copy.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(sql(copy, "PRAGMA integrity_check; PRAGMA user_version; PRAGMA application_id; SELECT name FROM client"),
            "ok\n2\n458176044\nalice\nbob\n");
  EXPECT_EQ(sql(copy, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_step'"), "0\n");
  std::filesystem::remove(copy);
  (void)open();
  EXPECT_FALSE(std::filesystem::exists(copy)) << "what is of this schema needs no copy";
}

TEST_F(SchemaTest, AnUpdateThatIsTakenBackFindsItsFileAndSoDoesTheNextOne) {
  {
    Registry registry = open();
    add(registry, "carol", 9, {"a"});
  }
  // The older program: opens up to user_version 2, and does all that it ever does.
  EXPECT_EQ(sql(path(), "PRAGMA user_version"), "2\n");
  run(std::string(kRecorded) + "schema_2_program.sql", path());
  Registry registry = open();
  EXPECT_THAT(names(value_of(registry.clients())), testing::ElementsAre("alice", "carol", "dave"));
  EXPECT_NE(value_of(registry.client("carol")).revoked_at, 0) << "by the older program";
  EXPECT_EQ(value_of(registry.next_crl_number()), 12U);
  add(registry, "erin", 10);
}

TEST_F(SchemaTest, AFileThatOnlyGrewIsOpenedByAProgramThatDoesNotKnowTheSteps) {
  {
    const Registry registry = open();
  }
  sql(path(),
      "CREATE TABLE future (x); ALTER TABLE client ADD COLUMN future TEXT NOT NULL DEFAULT ''; "
      "INSERT INTO schema_step VALUES (50, 1)");
  Registry registry = open();
  add(registry, "carol", 9);
  EXPECT_EQ(value_of(registry.clients()).size(), 3U);
}

/// A column as far as an INSERT or SELECT that does not know it, or knows it, is concerned.
std::map<std::string, std::string> columns(const Database& database) {
  std::map<std::string, std::string> out;
  auto rows = value_of(database.prepare(
      "SELECT t.name || '.' || c.name, c.type || ' ' || c.\"notnull\" || ' ' || ifnull(c.dflt_value, 'none') || ' ' || "
      "c.pk FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c WHERE t.type = 'table'"));
  while (value_of(rows.step())) out[rows.text(0)] = rows.text(1);
  return out;
}

TEST_F(SchemaTest, StepsOnlyAddUnlessTheySayThatOlderProgramsAreLockedOut) {
  const std::string file = directory_ / "steps.db";
  sql(file, "VACUUM");
  const Database database = value_of(Database::open(file));
  const auto steps = migrations();
  require(migrate(database, steps.first(2)));
  for (size_t count = 3; count <= steps.size(); ++count) {
    const auto before = columns(database);
    const int64_t readable = value_of(database.number("PRAGMA user_version"));
    require(migrate(database, steps.first(count)));
    EXPECT_EQ(value_of(schema_of(database)), static_cast<int64_t>(count));
    const int64_t readable_now = value_of(database.number("PRAGMA user_version"));
    EXPECT_GE(readable_now, readable);
    EXPECT_EQ(value_of(database.number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'")), 0);
    if (readable_now == static_cast<int64_t>(count)) continue;
    const auto after = columns(database);
    for (const auto& [column, kind] : before) {
      ASSERT_TRUE(after.contains(column)) << column << " is gone with step " << count;
      EXPECT_EQ(after.at(column), kind) << column << " has changed with step " << count;
    }
    for (const auto& [column, kind] : after) {
      const bool new_table = std::ranges::none_of(
          before, [&](const auto& old) { return old.first.starts_with(column.substr(0, column.find('.') + 1)); });
      const bool optional = !kind.contains(" 1 none") && kind.ends_with(" 0");
      EXPECT_TRUE(before.contains(column) || new_table || optional) << column << " is demanded by step " << count;
    }
  }
}

TEST_F(SchemaTest, AStepThatLocksOlderProgramsOutIsRefusedByThem) {
  const std::string file = directory_ / "locked.db";
  sql(file, "PRAGMA application_id = " + std::to_string(kApplicationId));
  {
    const Database database = value_of(Database::open(file));
    std::vector<Migration> future(migrations().begin(), migrations().end());
    const auto number = static_cast<int64_t>(future.size()) + 1;
    future.push_back({.sql = "ALTER TABLE client RENAME COLUMN name TO called", .readable_by = number});
    future.push_back({.sql = "CREATE TABLE harmless (x)", .readable_by = 2});
    require(migrate(database, future));
    EXPECT_EQ(value_of(schema_of(database)), number + 1);
    EXPECT_EQ(value_of(database.number("PRAGMA user_version")), number);
  }
  const auto opened = Registry::open(file);
  EXPECT_EQ(code_of(opened), ENOTSUP);
  EXPECT_THAT(refusal(opened), HasSubstr("only one that knows schema " + std::to_string(migrations().size() + 1)));
}

TEST_F(SchemaTest, IsWholeAfterACrashAnywhereInTheMigration) {
  const std::string before = value_of(read_file(path()));
  const int killed = test::kill_at_every_system_call(
      [&] {
        for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
          std::filesystem::remove(entry.path());
        require(write_file_atomically(path(), before, 0600));
      },
      [&] { (void)Registry::open(path()); },
      [&] {
        {
          const Registry registry = open();
          EXPECT_EQ(value_of(registry.clients()).size(), 2U);
        }
        EXPECT_EQ(sql(path() + ".schema-2", "PRAGMA integrity_check; SELECT count(*) FROM client"), "ok\n2\n");
      });
  EXPECT_GT(killed, 20);
}

}  // namespace
}  // namespace gw::registry
