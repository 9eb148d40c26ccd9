// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: the sqlite3 C API behind RAII. No other header knows it.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gatewayd/base/result.h"

namespace gw::registry {

class Statement;

/// One connection. Errors name the file and tell what to do about it.
class Database {
 public:
  /// Opens an existing file. Nothing is written to it by that.
  static Result<Database> open(const std::string& path);

  /// Runs statements that return no rows.
  Result<void> execute(const char* sql) const;
  [[nodiscard]] Result<Statement> prepare(std::string_view sql) const;
  /// The one integer of the one row of a query.
  [[nodiscard]] Result<int64_t> number(std::string_view sql) const;
  [[nodiscard]] int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  /// Whether a write-ahead log stays where it is when this closes: for files that are to stay as they were found.
  void keep_log(bool keep) const;
  /// The failure that SQLite told last.
  [[nodiscard]] std::unexpected<Error> failure(const char* operation) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

/// A prepared statement; parameters are bound in order, columns read by index. The Database must outlive it.
class Statement {
 public:
  /// Binds the next parameter. A failure to bind shows in `step`.
  Statement& bind(int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(std::span<const uint8_t> bytes);
  Statement& bind_null();

  /// True: a row is there; false: done.
  Result<bool> step();
  /// For statements without rows.
  Result<void> run();
  /// Ready for the next set of parameters.
  void reset();

  [[nodiscard]] int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::span<const uint8_t> bytes(int column) const;  ///< until the next step
  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  Statement(sqlite3_stmt* handle, const Database* database) : handle_(handle), database_(database) {}

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const Database* database_;
  int next_ = 1;
  int bound_ = SQLITE_OK;
};

/// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(const Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(const Database* database) : database_(database) {}
  const Database* database_;
};

}  // namespace gw::registry
