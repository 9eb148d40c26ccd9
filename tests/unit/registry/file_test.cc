// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "gatewayd/registry/schema.h"
#include "tests/support/killed.h"
#include "tests/support/process.h"
#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class FileTest : public RegistryTest {
 protected:
  /// Names of the files with their size and a hash of their content.
  [[nodiscard]] std::map<std::string, std::pair<size_t, size_t>> files() const {
    std::map<std::string, std::pair<size_t, size_t>> out;
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      const std::string content = value_of(read_file(entry.path()));
      out[entry.path()] = {content.size(), std::hash<std::string>()(content)};
    }
    return out;
  }
  /// The sentence with which the file is refused; all files stay as they are.
  [[nodiscard]] std::string refused(int code) const {
    const auto before = files();
    const auto opened = Registry::open(path());
    EXPECT_EQ(code_of(opened), code);
    EXPECT_EQ(files(), before);
    return refusal(opened);
  }
  void write(const std::string& content) const { require(write_file_atomically(path(), content, 0600)); }
  void sql(const std::string& text) const {
    const auto done = test::run({"sqlite3", path(), text});
    ASSERT_TRUE(done.ok()) << done.err;
  }
  void fill(uint32_t clients) const {
    Registry registry = open();
    for (uint32_t n = 1; n <= clients; ++n) add(registry, "c" + std::to_string(n), n, {"a", "b"});
  }
};

TEST_F(FileTest, IsMadeForTheOwnerAlone) {
  const Registry registry = open();
  for (const char* name : {"registry.db", "registry.db-wal"}) {
    struct stat facts{};
    ASSERT_EQ(::stat((directory_ / name).c_str(), &facts), 0) << name;
    EXPECT_EQ(facts.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(FileTest, SurvivesAPowerCutByItsSettings) {
  {
    const Registry registry = open();
  }
  EXPECT_EQ(test::run({"sqlite3", path(), "PRAGMA journal_mode; PRAGMA user_version; PRAGMA application_id;"}).out,
            "wal\n2\n458176044\n");
}

TEST_F(FileTest, OfTheFirstSchemaIsTakenOnWithWhatIsInIt) {
  fill(3);
  sql("DROP TABLE trust_client_group; DROP TABLE trust_client; DROP TABLE trust_map_group; DROP TABLE trust_map;"
      "DROP TABLE trust; DROP TABLE token_use; DROP TABLE token_group; DROP TABLE token; ALTER TABLE registry DROP "
      "COLUMN front_key;"
      "DROP TABLE block; DROP TABLE schema_step; PRAGMA user_version = 1");
  Registry registry = open();
  EXPECT_EQ(value_of(registry.clients()).size(), 3U);
  const Block block{*Prefix::parse("198.51.100.0/24"), 0, "", "uid 0", kNow};
  require(registry.put_block(block, kNow));
  EXPECT_THAT(value_of(registry.blocks()), testing::ElementsAre(block));
}

TEST_F(FileTest, IsHeldByOneProcess) {
  Registry registry = open();
  add(registry, "alice", 1);
  const auto second = test::run({"sqlite3", path(), "SELECT count(*) FROM client"});
  EXPECT_FALSE(second.ok());
  EXPECT_THAT(second.err, HasSubstr("locked"));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(code_of(Registry::open(path())));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), EBUSY);
  EXPECT_EQ(value_of(registry.clients()).size(), 1U);
}

TEST_F(FileTest, ThatAnotherProcessReadsIsBusyWithWhatToDo) {
  fill(1);
  int ready[2] = {}, done[2] = {};
  ASSERT_EQ(::pipe(ready) | ::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = Registry::open(path());
    char byte = held ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_THAT(refusal(Registry::open(path())),
              AllOf(HasSubstr("(EBUSY)"), HasSubstr("another process has it open"), HasSubstr(path())));
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(value_of(open().clients()).size(), 1U);
}

TEST_F(FileTest, ThatIsNoDatabaseIsRefusedAndLeftAlone) {
  write("gateway:\n  name: contoso\n" + std::string(8192, '#'));
  EXPECT_THAT(refused(EUCLEAN), AllOf(HasSubstr("not a database"), HasSubstr("restore the backup")));
  write("short");
  EXPECT_THAT(refused(EUCLEAN), HasSubstr("not a database"));
}

TEST_F(FileTest, ThatIsEmptyIsALossAndNoFirstStart) {
  write("");
  EXPECT_THAT(refused(EUCLEAN), AllOf(HasSubstr("it is empty"), HasSubstr("restore the backup")));
}

TEST_F(FileTest, ThatIsMissingWhileItsLogIsThereIsALoss) {
  fill(1);
  fs::remove(path());
  require(write_file_atomically(path() + "-wal", "x", 0600));
  EXPECT_THAT(refused(EUCLEAN), AllOf(HasSubstr("it is missing"), HasSubstr("registry.db-wal is there")));
}

TEST_F(FileTest, OfAnotherProgramIsRefused) {
  sql("CREATE TABLE client (name)");
  EXPECT_THAT(refused(EUCLEAN), HasSubstr("not a registry of gatewayd"));
}

TEST_F(FileTest, OfANewerProgramIsRefusedWithBothVersions) {
  fill(1);
  sql("PRAGMA user_version = 77");
  const std::string newest = std::to_string(newest_schema());
  EXPECT_THAT(refused(ENOTSUP), AllOf(HasSubstr("only one that knows schema 77"), HasSubstr("this one knows " + newest),
                                      HasSubstr("install that one, or restore an older backup")));
  std::filesystem::copy_file(path(), path() + ".schema-" + newest);
  EXPECT_THAT(refused(ENOTSUP), HasSubstr("put " + path() + ".schema-" + newest + " in its place"));
}

TEST_F(FileTest, ThatWasCutShortAnywhereIsRefusedAndLeftAlone) {
  fill(60);
  const std::string whole = value_of(read_file(path()));
  ASSERT_GT(whole.size(), 80000U);
  for (size_t size = 512; size < whole.size(); size += 7 * 4096 + 100) {
    write(whole.substr(0, size));
    EXPECT_THAT(refused(EUCLEAN), HasSubstr("restore the backup")) << size;
  }
}

TEST_F(FileTest, WithADamagedPageIsRefusedAndLeftAlone) {
  fill(60);
  std::string whole = value_of(read_file(path()));
  whole.replace(4096 * 3, 4096, std::string(4096, '\xa5'));
  write(whole);
  EXPECT_THAT(refused(EUCLEAN), HasSubstr("restore the backup"));
}

TEST_F(FileTest, ThatIsDamagedKeepsTheLogOfACrashUntouched) {
  fill(60);
  const pid_t child = ::fork();
  if (child == 0) {
    Registry registry = open();
    add(registry, "late", 99);
    ::_exit(0);  // no destructor: the log stays, as after a crash
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_GT(fs::file_size(path() + "-wal"), 0U);
  std::string whole = value_of(read_file(path()));
  whole.replace(whole.size() - 4096, 4096, std::string(4096, '\xa5'));
  write(whole);
  EXPECT_THAT(refused(EUCLEAN), HasSubstr("restore the backup"));
}

TEST_F(FileTest, InADirectoryThatDoesNotExistIsNotMade) {
  const auto opened = Registry::open(directory_ / "missing/registry.db");
  EXPECT_EQ(code_of(opened), ENOENT);
  EXPECT_FALSE(fs::exists(directory_ / "missing"));
}

TEST_F(FileTest, IsWholeOrAbsentAfterACrashWhileItIsMade) {
  const int killed = test::kill_at_every_system_call([&] { fs::remove(path()), fs::remove(path() + "-wal"); },
                                                     [&] { (void)Registry::open(path()); },
                                                     [&] { EXPECT_TRUE(value_of(open().clients()).empty()); });
  EXPECT_GT(killed, 20);
  EXPECT_FALSE(fs::exists(path() + ".new"));
}

TEST_F(FileTest, HoldsAClientWhollyOrNotAtAllAfterACrashAnywhereInAdding) {
  fill(3);
  const std::string before = value_of(read_file(path()));
  int with = 0, without = 0;
  const int killed = test::kill_at_every_system_call(
      [&] {
        fs::remove(path() + "-wal");
        write(before);
      },
      [&] {
        Registry registry = open();
        add(registry, "late", 9, {"x", "y"});
      },
      [&] {
        Registry registry = open();
        const auto clients = value_of(registry.clients());
        const bool there = clients.size() == 4;
        there ? ++with : ++without;
        EXPECT_EQ(clients.size(), there ? 4U : 3U);
        EXPECT_EQ(value_of(registry.certificates()).size(), clients.size());
        EXPECT_EQ(value_of(registry.audit(100)).size(), clients.size());
        if (!there) return;
        const Client late = value_of(registry.client("late"));
        EXPECT_EQ(late.groups.size(), 2U);
        EXPECT_EQ(late.addresses.size(), 2U);
        EXPECT_TRUE(late.has_access(kNow));
      });
  EXPECT_GT(killed, 40);
  EXPECT_GT(with, 1);
  EXPECT_GT(without, 10);
}

TEST_F(FileTest, StaysAsItWasWhenTheDiskIsFull) {
  fill(3);
  const pid_t child = ::fork();
  if (child == 0) {
    Registry registry = open();
    const rlimit limit = {1, 1};  // not a byte more into any file
    ::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(100);
    Client client = value_of(registry.plan_client("late", pools()));
    client.device_uuid = uuid(9);
    client.wireguard = key(9);
    const int code = code_of(registry.add_client(client, certificate("late", 9, key(9)), "uid 0", kNow));
    const bool unchanged = value_of(registry.clients()).size() == 3 &&
                           value_of(registry.plan_client("late", pools())).number == client.number;
    ::_exit(unchanged ? code : 101);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_THAT(WEXITSTATUS(status), testing::AnyOf(EFBIG, ENOSPC, EIO));
  EXPECT_EQ(value_of(open().clients()).size(), 3U);
}

}  // namespace
}  // namespace gw::registry
