// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: the tables.

#include "gatewayd/registry/database.h"

namespace gw::registry {

/// In the header of every registry file (PRAGMA application_id).
inline constexpr int64_t kApplicationId = 0x1b4f362c;

/// The newest schema (PRAGMA user_version) that this program knows.
int64_t newest_schema();

/// Brings the file from the schema it has to the newest, each step in a transaction. Steps only ever add.
Result<void> migrate(const Database& database);

}  // namespace gw::registry
