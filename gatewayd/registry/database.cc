// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/database.h"

#include <cerrno>
#include <tuple>
#include <utility>

namespace gw::registry {
namespace {

struct Meaning {
  int code;
  const char* advice;  ///< what to do; empty when SQLite's own text says it
};

Meaning meaning_of(int result, int system_error) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {
          EBUSY,
          "another process has it open; end that one first (is a second gatewayd running on this state directory?)"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {EUCLEAN,
              "the file is damaged and was left as it is; move it away and restore the backup (gwctl restore)"};
    case SQLITE_FULL:
      return {ENOSPC, "the disk is full; nothing was changed"};
    case SQLITE_READONLY:
      return {EROFS, "the file cannot be written"};
    case SQLITE_CONSTRAINT:
      return {EEXIST, ""};
    case SQLITE_TOOBIG:
      return {EFBIG, ""};
    case SQLITE_NOMEM:
      return {ENOMEM, ""};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {system_error != 0 ? system_error : EACCES, ""};
    default:
      return {system_error != 0 ? system_error : EIO, ""};
  }
}

std::unexpected<Error> describe(sqlite3* handle, const char* operation, const std::string& path) {
  const Meaning meaning = meaning_of(sqlite3_extended_errcode(handle), sqlite3_system_errno(handle));
  std::string detail = sqlite3_errmsg(handle);
  if (*meaning.advice != '\0') detail += std::string(": ") + meaning.advice;
  return gw::failure(meaning.code, operation, path, std::move(detail));
}

}  // namespace

Result<Database> Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(raw, path);
  if (raw == nullptr) return gw::failure(ENOMEM, "open registry", path);
  if (opened != SQLITE_OK) return describe(raw, "open registry", path);
  return database;
}

Result<void> Database::execute(const char* sql) const {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure("write registry");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK) {
    return failure("read registry");
  }
  return Statement(raw, this);
}

Result<int64_t> Database::number(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
}

void Database::keep_log(bool keep) const {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

std::unexpected<Error> Database::failure(const char* operation) const {
  return describe(handle_.get(), operation, path_);
}

Statement& Statement::bind(int64_t value) {
  bound_ |= sqlite3_bind_int64(handle_.get(), next_++, value);
  return *this;
}

// A null pointer would bind NULL: an empty view gets an address.
Statement& Statement::bind(std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  bound_ |= sqlite3_bind_text64(handle_.get(), next_++, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(std::span<const uint8_t> bytes) {
  bound_ |= sqlite3_bind_blob64(handle_.get(), next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_null() {
  bound_ |= sqlite3_bind_null(handle_.get(), next_++);
  return *this;
}

Result<bool> Statement::step() {
  if (bound_ != SQLITE_OK) return gw::failure(EINVAL, "write registry", database_->path(), sqlite3_errstr(bound_));
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  const bool reads = sqlite3_stmt_readonly(handle_.get()) != 0;
  return database_->failure(reads ? "read registry" : "write registry");
}

Result<void> Statement::run() {
  if (auto stepped = step(); !stepped) return std::unexpected(stepped.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  next_ = 1;
  bound_ = SQLITE_OK;
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column)));
}

std::span<const uint8_t> Statement::bytes(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  return {data, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Result<Transaction> Transaction::begin(const Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return std::unexpected(begun.error());
  return Transaction(&database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) std::ignore = database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
  if (auto done = database_->execute("COMMIT"); !done) return done;
  database_ = nullptr;
  return {};
}

}  // namespace gw::registry
