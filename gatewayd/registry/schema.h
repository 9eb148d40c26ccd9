// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: the tables.

#include <span>

#include "gatewayd/registry/database.h"

/// How the tables change without locking out the program before: an update that is rolled back starts the older program
/// on the migrated file, with everything that happened since in it.
///
/// A step adds: tables, indexes, columns that may be NULL or have a default. It takes nothing away, renames nothing,
/// and adds no constraint or trigger that a statement of an older program could meet. Such a file may be opened by
/// every program since `readable_by`, which stays what it was (tests/unit/registry/schema_test.cc holds steps to that,
/// and runs what the program of schema 2 did on today's file). What an older program wrote meanwhile has the defaults:
/// a newer one has to understand them. A step that cannot be additive raises `readable_by` to its own number, and older
/// programs then refuse the file with a sentence that names the copy made before it.
namespace gw::registry {

struct Migration {
  const char* sql;
  int64_t readable_by;  ///< the oldest schema whose programs understand the file after this step
};

/// In the header of every registry file (PRAGMA application_id).
inline constexpr int64_t kApplicationId = 0x1b4f362c;

/// All steps, the first makes the tables.
std::span<const Migration> migrations();

/// The newest schema that this program knows.
int64_t newest_schema();

/// The steps that the file has been through. At least its PRAGMA user_version, which is the oldest schema whose
/// programs may open it.
Result<int64_t> schema_of(const Database& database);

/// Takes the file through the steps of `known` that it has not been through, each in a transaction. One that a newer
/// program made stays as it is.
Result<void> migrate(const Database& database, std::span<const Migration> known = migrations());

}  // namespace gw::registry
