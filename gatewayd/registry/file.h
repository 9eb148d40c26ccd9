// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: the file's life, from nothing to an open database of the current schema.

#include <string>

#include "gatewayd/registry/database.h"

namespace gw::registry {

/// What Registry::open says of the file. The result is ready for use: exclusive, write-ahead log, foreign keys, current
/// schema.
Result<Database> open_file(const std::string& path);

/// A consistent copy of the whole database as a file of its own, 0600, synced; what is there already is replaced. After
/// a crash `path` may be incomplete.
Result<void> copy_database(const Database& database, const std::string& path);

}  // namespace gw::registry
