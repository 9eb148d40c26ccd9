// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/schema.h"

#include <algorithm>
#include <array>
#include <string>

namespace gw::registry {
namespace {

// Certificates outlive their clients, for the revocation list; their texts lie apart, so that listing clients does not
// read them. Addresses are the 16 bytes of IpAddress::mapped.
constexpr const char* kFirst = R"sql(
CREATE TABLE client (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  number INTEGER NOT NULL UNIQUE CHECK (number > 0),
  name TEXT NOT NULL UNIQUE,
  device_uuid TEXT NOT NULL UNIQUE,
  wireguard BLOB NOT NULL UNIQUE CHECK (length(wireguard) = 32),
  tunnel TEXT CHECK (tunnel IN ('split', 'full')),
  description TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  created INTEGER NOT NULL,
  serial TEXT NOT NULL UNIQUE REFERENCES certificate (serial) DEFERRABLE INITIALLY DEFERRED,
  profile TEXT NOT NULL
) STRICT;
CREATE TABLE client_group (
  client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (client, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE client_address (
  client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
  family INTEGER NOT NULL CHECK (family IN (4, 6)),
  address BLOB NOT NULL UNIQUE CHECK (length(address) = 16),
  PRIMARY KEY (client, family)
) STRICT, WITHOUT ROWID;
CREATE TABLE certificate (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  serial TEXT NOT NULL UNIQUE,
  client INTEGER REFERENCES client (id) ON DELETE SET NULL,
  client_name TEXT NOT NULL,
  client_number INTEGER NOT NULL,
  wireguard BLOB NOT NULL CHECK (length(wireguard) = 32),
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX certificate_client ON certificate (client);
CREATE INDEX certificate_wireguard ON certificate (wireguard);
CREATE TABLE certificate_text (
  certificate INTEGER PRIMARY KEY REFERENCES certificate (id),
  pem TEXT NOT NULL
) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL
) STRICT;
CREATE TABLE registry (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  crl_number INTEGER NOT NULL DEFAULT 0,
  time_floor INTEGER NOT NULL DEFAULT 0,
  profile TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO registry (id) VALUES (1);
)sql";

// The deny list. Addresses as above, `length` that of their family.
constexpr const char* kBlocks = R"sql(
CREATE TABLE block (
  address BLOB NOT NULL CHECK (length(address) = 16),
  length INTEGER NOT NULL CHECK (length BETWEEN 0 AND 128),
  until INTEGER NOT NULL,
  comment TEXT NOT NULL,
  who TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (address, length)
) STRICT, WITHOUT ROWID;
)sql";

// Which steps a file has been through, since user_version tells only who may open it.
constexpr const char* kVersions = R"sql(
CREATE TABLE schema_step (
  version INTEGER PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;
)sql";

// One-time invitations. `hash`: SHA-256 of what is handed out, which is kept nowhere. `front_key`: of the enrolment
// server (RFC 7469 §2.4), which invitations name.
constexpr const char* kTokens = R"sql(
CREATE TABLE token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  name TEXT NOT NULL,
  tunnel TEXT CHECK (tunnel IN ('split', 'full')),
  description TEXT NOT NULL,
  days INTEGER NOT NULL CHECK (days > 0),
  uses INTEGER NOT NULL CHECK (uses > 0),
  used INTEGER NOT NULL DEFAULT 0,
  expires INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL,
  who TEXT NOT NULL
) STRICT;
CREATE TABLE token_group (
  token INTEGER NOT NULL REFERENCES token (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (token, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE token_use (
  token INTEGER NOT NULL REFERENCES token (id) ON DELETE CASCADE,
  serial TEXT NOT NULL,
  PRIMARY KEY (token, serial)
) STRICT, WITHOUT ROWID;
ALTER TABLE registry ADD COLUMN front_key TEXT NOT NULL DEFAULT '';
)sql";

// Organisations whose certificates let their holders enrol, and who came by which. A client that is gone, or whose
// trust is gone, is not in trust_client.
constexpr const char* kTrusts = R"sql(
CREATE TABLE trust (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  authorities TEXT NOT NULL,
  crl TEXT NOT NULL DEFAULT '',
  created INTEGER NOT NULL,
  who TEXT NOT NULL
) STRICT;
CREATE TABLE trust_map (
  id INTEGER PRIMARY KEY,
  trust INTEGER NOT NULL REFERENCES trust (id) ON DELETE CASCADE,
  pattern TEXT NOT NULL,
  UNIQUE (trust, pattern)
) STRICT;
CREATE TABLE trust_map_group (
  map INTEGER NOT NULL REFERENCES trust_map (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (map, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE trust_client (
  client INTEGER PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
  trust INTEGER NOT NULL REFERENCES trust (id) ON DELETE CASCADE,
  identity TEXT NOT NULL,
  UNIQUE (trust, identity)
) STRICT;
CREATE TABLE trust_client_group (
  client INTEGER NOT NULL REFERENCES trust_client (client) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (client, name)
) STRICT, WITHOUT ROWID;
)sql";

constexpr int64_t kFirstWithSteps = 3;

// Programs of schema 2 and before take user_version for the schema itself, so that it is 2 at least.
constexpr std::array<Migration, 5> kMigrations = {{
    {.sql = kFirst, .readable_by = 1},
    {.sql = kBlocks, .readable_by = 2},
    {.sql = kVersions, .readable_by = 2},
    {.sql = kTokens, .readable_by = 2},
    {.sql = kTrusts, .readable_by = 2},
}};

// PRAGMA user_version is the oldest schema whose programs may open the file, and never sinks.
Result<void> step(const Database& database, const Migration& migration, int64_t version) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = database.execute(migration.sql); !done) return done;
  const auto before = database.number("PRAGMA user_version");
  if (!before) return std::unexpected(before.error());
  std::string note = "PRAGMA user_version = " + std::to_string(std::max(*before, migration.readable_by));
  if (version >= kFirstWithSteps) {
    note += "; INSERT INTO schema_step VALUES (" + std::to_string(version) + ", unixepoch())";
  }
  if (auto done = database.execute(note.c_str()); !done) return done;
  return transaction->commit();
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

int64_t newest_schema() { return kMigrations.size(); }

Result<int64_t> schema_of(const Database& database) {
  const auto steps = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_step'");
  if (!steps) return steps;
  return database.number(*steps == 0 ? "PRAGMA user_version" : "SELECT max(version) FROM schema_step");
}

Result<void> migrate(const Database& database, std::span<const Migration> known) {
  const auto version = schema_of(database);
  if (!version) return std::unexpected(version.error());
  for (auto at = static_cast<size_t>(*version); at < known.size(); ++at) {
    if (auto done = step(database, known[at], static_cast<int64_t>(at) + 1); !done) return done;
  }
  return {};
}

}  // namespace gw::registry
