// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "gatewayd/base/file.h"
#include "gatewayd/registry/schema.h"

namespace gw::registry {
namespace {

constexpr const char* kOpen = "open registry";
constexpr mode_t kMode = 0600;
// The cache (8 MiB) holds the index pages of some 20,000 clients: each change touches several at random.
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192";

std::string log_of(const std::string& path) { return path + "-wal"; }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// The copy that is kept of a file of schema `version` when it is taken to a newer one.
std::string copy_of(const std::string& path, int64_t version) { return path + ".schema-" + std::to_string(version); }

std::unexpected<Error> damaged(const std::string& path, const std::string& what) {
  return failure(EUCLEAN, kOpen, path,
                 what + ": the file was left as it is; move it away and restore the backup (gwctl restore)");
}

/// An empty registry in a file of its own, synced.
Result<void> make_aside(const std::string& path) {
  ::unlink(path.c_str());  // of a crash in between
  ::unlink((path + "-journal").c_str());
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!fd.valid()) return failure(errno, "make registry", path);
  auto database = Database::open(path);
  if (!database) return std::unexpected(database.error());
  const std::string identity = "PRAGMA synchronous = FULL; PRAGMA application_id = " + std::to_string(kApplicationId);
  if (auto done = database->execute(identity.c_str()); !done) return done;
  return migrate(*database);
}

/// The file appears whole or not at all, so that an empty one is known for a loss and not taken for a first start.
Result<void> make_if_missing(const std::string& path, const std::string& directory) {
  if (exists(path)) return {};
  if (exists(log_of(path))) return damaged(path, "it is missing, but its log " + log_of(path) + " is there");
  const std::string aside = path + ".new";
  if (auto made = make_aside(aside); !made) return made;
  if (::rename(aside.c_str(), path.c_str()) != 0) return failure(errno, "make registry", path);
  return sync_directory(directory);
}

/// Whether this is an undamaged registry of a known schema. Reads only.
Result<void> check(const Database& database) {
  const auto application = database.number("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  if (*application != kApplicationId) return damaged(database.path(), "it is not a registry of gatewayd");
  const auto version = database.number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version > newest_schema()) {
    const std::string copy = copy_of(database.path(), newest_schema());
    const std::string way_out = exists(copy) ? "put " + copy + " in its place, which lacks what happened since"
                                             : "restore an older backup (gwctl restore)";
    return failure(ENOTSUP, kOpen, database.path(),
                   "a newer gatewayd changed it, and only one that knows schema " + std::to_string(*version) +
                       " can use it (this one knows " + std::to_string(newest_schema()) + "); install that one, or " +
                       way_out);
  }
  auto quick = database.prepare("PRAGMA quick_check(1)");
  if (!quick) return std::unexpected(quick.error());
  const auto row = quick->step();
  if (!row) return std::unexpected(row.error());
  if (*row && quick->text(0) != "ok") return damaged(database.path(), "it is damaged (" + quick->text(0) + ")");
  return {};
}

Result<void> use_log(const Database& database) {
  auto mode = database.prepare("PRAGMA journal_mode = WAL");
  if (!mode) return std::unexpected(mode.error());
  const auto row = mode->step();
  if (!row) return std::unexpected(row.error());
  if (mode->text(0) != "wal") {
    return failure(ENOTSUP, kOpen, database.path(), "this file system takes no write-ahead log");
  }
  return database.execute("PRAGMA synchronous = FULL");
}

/// Reads only. The log is kept as it is, so that closing a damaged file does not write to it.
Result<Database> open_checked(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return database;
  database->keep_log(true);
  // Exclusive before the first read: the lock then stays, and no shared memory file is made.
  if (auto set = database->execute(kSettings); !set) return std::unexpected(set.error());
  if (auto good = check(*database); !good) return std::unexpected(good.error());
  database->keep_log(false);
  return database;
}

/// Takes away the empty log that looking at a refused file left beside it.
void remove_empty_log(const std::string& path) {
  std::error_code error;
  if (std::filesystem::file_size(log_of(path), error) == 0 && !error) ::unlink(log_of(path).c_str());
}

/// The file as it is, beside it, before a newer schema's first step: whole or not at all.
Result<void> keep_copy(const Database& database, const std::string& directory) {
  const auto version = schema_of(database);
  if (!version) return std::unexpected(version.error());
  if (*version >= newest_schema()) return {};
  const std::string copy = copy_of(database.path(), *version);
  const std::string aside = copy + ".new";
  if (auto copied = copy_database(database, aside); !copied) return copied;
  if (::rename(aside.c_str(), copy.c_str()) != 0) return failure(errno, "keep a copy of the registry", copy);
  return sync_directory(directory);
}

}  // namespace

Result<void> copy_database(const Database& database, const std::string& path) {
  constexpr const char* kCopy = "copy registry";
  ::unlink(path.c_str());  // of a crash in between
  ::unlink((path + "-journal").c_str());
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!fd.valid()) return failure(errno, kCopy, path);
  auto vacuum = database.prepare("VACUUM INTO ?");
  if (!vacuum) return std::unexpected(vacuum.error());
  auto done = vacuum->bind(path).run();
  if (done && ::fsync(fd.get()) != 0) done = failure(errno, kCopy, path);
  if (!done) ::unlink(path.c_str());
  return done;
}

Result<Database> open_file(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  const auto lock = lock_directory(directory);  // one process at a time makes or opens
  if (!lock) return std::unexpected(lock.error());
  if (auto made = make_if_missing(path, directory); !made) return std::unexpected(made.error());
  std::error_code error;
  if (std::filesystem::file_size(path, error) == 0 && !error) return damaged(path, "it is empty");
  const bool had_log = exists(log_of(path));
  auto database = open_checked(path);
  if (!database && !had_log && database.error().code != EBUSY) remove_empty_log(path);
  if (!database) return database;
  if (auto done = use_log(*database); !done) return std::unexpected(done.error());
  if (auto locked = database->execute("BEGIN IMMEDIATE; COMMIT"); !locked) return std::unexpected(locked.error());
  if (auto kept = keep_copy(*database, directory); !kept) return std::unexpected(kept.error());
  if (auto done = migrate(*database); !done) return std::unexpected(done.error());
  return database;
}

}  // namespace gw::registry
