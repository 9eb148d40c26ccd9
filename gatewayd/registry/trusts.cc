// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <iterator>

#include "gatewayd/registry/impl.h"

/// Organisations whose certificates let their holders enrol.
namespace gw::registry {
namespace {

constexpr const char* kNoSuch = "there is none of this name: gwctl ca trust list shows all";

Result<std::vector<TrustMap>> read_maps(const Database& database, int64_t trust) {
  auto rows = database.prepare("SELECT id, pattern FROM trust_map WHERE trust = ? ORDER BY id");
  if (!rows) return std::unexpected(rows.error());
  rows->bind(trust);
  std::vector<TrustMap> out;
  for (;;) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    auto groups =
        read_names(database, "SELECT name FROM trust_map_group WHERE map = ? ORDER BY name", rows->integer(0));
    if (!groups) return std::unexpected(groups.error());
    out.push_back({rows->text(1), std::move(*groups)});
  }
}

Result<void> insert_map(const Database& database, int64_t trust, const TrustMap& map) {
  auto row = database.prepare("INSERT INTO trust_map (trust, pattern) VALUES (?, ?)");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(trust).bind(map.pattern).run(); !done) return done;
  const int64_t id = database.last_row();
  auto group = database.prepare("INSERT INTO trust_map_group (map, name) VALUES (?, ?)");
  if (!group) return std::unexpected(group.error());
  for (const std::string& name : sorted_set(map.groups)) {
    if (auto done = group->bind(id).bind(name).run(); !done) return done;
    group->reset();
  }
  return {};
}

Result<int64_t> id_of(const Database& database, const char* operation, const std::string& name) {
  auto row = database.prepare("SELECT id FROM trust WHERE name = ?");
  if (!row) return std::unexpected(row.error());
  const auto found = row->bind(name).step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return failure(ENOENT, operation, name, kNoSuch);
  return row->integer(0);
}

Result<void> insert_maps(const Database& database, int64_t trust, const std::vector<TrustMap>& maps) {
  for (const TrustMap& map : maps) {
    if (auto done = insert_map(database, trust, map); !done) return done;
  }
  return {};
}

Result<int64_t> insert_trust(const Database& database, const Trust& trust, UnixSeconds now) {
  auto row = database.prepare("INSERT INTO trust (name, authorities, crl, created, who) VALUES (?, ?, ?, ?, ?)");
  if (!row) return std::unexpected(row.error());
  row->bind(trust.name).bind(trust.authorities_pem).bind(trust.crl_pem).bind(now).bind(trust.who);
  if (auto done = row->run(); !done) return std::unexpected(done.error());
  return database.last_row();
}

Result<void> replace_trust(const Database& database, const Trust& trust, int64_t id) {
  auto row = database.prepare("UPDATE trust SET authorities = ?1, crl = iif(?2 = '', crl, ?2) WHERE id = ?3");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(trust.authorities_pem).bind(trust.crl_pem).bind(id).run(); !done) return done;
  auto gone = database.prepare("DELETE FROM trust_map WHERE trust = ?");
  if (!gone) return std::unexpected(gone.error());
  return gone->bind(id).run();
}

std::string text_of(const std::vector<TrustMap>& maps) {
  std::string out;
  for (const TrustMap& map : maps) {
    out += (out.empty() ? "" : "; ") + map.pattern + " to " + (map.groups.empty() ? "no group" : joined(map.groups));
  }
  return out;
}

Result<void> set_granted(const Database& database, int64_t client, const std::vector<std::string>& groups) {
  auto gone = database.prepare("DELETE FROM trust_client_group WHERE client = ?");
  if (!gone) return std::unexpected(gone.error());
  if (auto done = gone->bind(client).run(); !done) return done;
  auto row = database.prepare("INSERT INTO trust_client_group (client, name) VALUES (?, ?)");
  if (!row) return std::unexpected(row.error());
  for (const std::string& name : groups) {
    if (auto done = row->bind(client).bind(name).run(); !done) return done;
    row->reset();
  }
  return {};
}

constexpr const char* kGranted = "SELECT name FROM trust_client_group WHERE client = ? ORDER BY name";

/// `groups` without those of `before` that `after` has not, and with those of `after` that `before` has not.
std::vector<std::string> regrouped(std::vector<std::string> groups, const std::vector<std::string>& before,
                                   const std::vector<std::string>& after) {
  std::erase_if(groups, [&](const std::string& group) {
    return std::ranges::binary_search(before, group) && !std::ranges::binary_search(after, group);
  });
  std::ranges::set_difference(after, before, std::back_inserter(groups));
  return sorted_set(std::move(groups));
}

Result<void> set_groups(const Database& database, const StoredClient& client, const std::vector<std::string>& groups,
                        const std::string& who, UnixSeconds now) {
  if (groups == client.client.groups) return {};
  auto gone = database.prepare("DELETE FROM client_group WHERE client = ?");
  if (!gone) return std::unexpected(gone.error());
  if (auto done = gone->bind(client.id).run(); !done) return done;
  if (auto done = insert_groups(database, client.id, groups); !done) return done;
  const std::string what =
      "client set " + client.client.name + ": groups " + (groups.empty() ? "none" : joined(groups));
  return write_audit(database, who, what, now);
}

}  // namespace

Result<void> catch_up_trusts(const Database& database, const std::vector<Trust>& stored, const Present& present) {
  for (const Trust& trust : stored) {
    if (!present.trusts) break;
    const auto known = std::ranges::find(*present.trusts, trust.name, &Trust::name);
    if (known == present.trusts->end()) {
      auto gone = database.prepare("DELETE FROM trust WHERE id = ?");
      if (!gone) return std::unexpected(gone.error());
      if (auto done = gone->bind(trust.id).run(); !done) return done;
      continue;
    }
    if (auto done = replace_trust(database, *known, trust.id); !done) return done;
    // It has none when it came out of a backup.
    if (auto done = insert_maps(database, trust.id, known->maps.empty() ? trust.maps : known->maps); !done) return done;
  }
  return present.disable_clients ? database.execute("DELETE FROM trust_map") : Result<void>();
}

Result<void> Registry::put_trust(const Trust& trust, bool replace, UnixSeconds now) {
  constexpr const char* kPut = "trust";
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  auto id = id_of(database, kPut, trust.name);
  if (!id && (replace || id.error().code != ENOENT)) return std::unexpected(id.error());
  if (id && !replace) {
    return failure(EEXIST, kPut, trust.name,
                   "there is one of this name already; --replace gives it other authorities and maps");
  }
  if (id) {
    if (auto done = replace_trust(database, trust, *id); !done) return done;
  } else {
    id = insert_trust(database, trust, now);
    if (!id) return std::unexpected(id.error());
  }
  if (auto done = insert_maps(database, *id, trust.maps); !done) return done;
  const std::string what =
      std::string("ca trust ") + (replace ? "replace " : "add ") + trust.name + ": " + text_of(trust.maps);
  if (auto done = write_audit(database, trust.who, what, now); !done) return done;
  return transaction->commit();
}

Result<std::vector<Trust>> Registry::trusts() const {
  auto rows = impl_->database.prepare("SELECT id, name, authorities, crl, created, who FROM trust ORDER BY id");
  if (!rows) return std::unexpected(rows.error());
  std::vector<Trust> out;
  for (;;) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    Trust trust{.id = rows->integer(0),
                .name = rows->text(1),
                .authorities_pem = rows->text(2),
                .crl_pem = rows->text(3),
                .maps = {},
                .created = rows->integer(4),
                .who = rows->text(5)};
    auto maps = read_maps(impl_->database, trust.id);
    if (!maps) return std::unexpected(maps.error());
    trust.maps = std::move(*maps);
    out.push_back(std::move(trust));
  }
}

Result<std::vector<std::string>> Registry::trust_clients(int64_t trust) const {
  return read_names(impl_->database,
                    "SELECT client.name FROM trust_client t JOIN client ON client.id = t.client WHERE t.trust = ?"
                    " ORDER BY client.name",
                    trust);
}

Result<void> Registry::set_trust_crl(const std::string& name, const std::string& crl_pem, const std::string& who,
                                     UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto id = id_of(database, "keep the revocation list of", name);
  if (!id) return std::unexpected(id.error());
  auto row = database.prepare("UPDATE trust SET crl = ? WHERE id = ?");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(crl_pem).bind(*id).run(); !done) return done;
  if (auto done = write_audit(database, who, "ca trust crl " + name, now); !done) return done;
  return transaction->commit();
}

Result<void> Registry::remove_trust(const std::string& name, const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto id = id_of(database, "remove trust", name);
  if (!id) return std::unexpected(id.error());
  auto row = database.prepare("DELETE FROM trust WHERE id = ?");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(*id).run(); !done) return done;
  if (auto done = write_audit(database, who, "ca trust remove " + name, now); !done) return done;
  return transaction->commit();
}

Result<TrustedClient> Registry::trusted_client(int64_t trust, const std::string& identity) const {
  auto row = impl_->database.prepare(
      "SELECT client.id, client.name FROM trust_client t JOIN client ON client.id = t.client"
      " WHERE t.trust = ? AND t.identity = ?");
  if (!row) return std::unexpected(row.error());
  const auto found = row->bind(trust).bind(identity).step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return failure(ENOENT, "find client", {}, "no client came as " + identity);
  auto granted = read_names(impl_->database, kGranted, row->integer(0));
  if (!granted) return std::unexpected(granted.error());
  return TrustedClient{.client = row->text(1), .identity = identity, .granted = std::move(*granted)};
}

Result<void> Registry::admit_by_trust(int64_t trust, const TrustedClient& came, const Client& client,
                                      const Certificate& certificate, const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  auto known = database.prepare("SELECT name FROM trust WHERE id = ?");
  if (!known) return std::unexpected(known.error());
  const auto held = known->bind(trust).step();
  if (!held) return std::unexpected(held.error());
  if (!*held) return failure(ENOENT, "add client", client.name, "its organisation is no longer trusted");
  if (auto done = insert_all(database, client, certificate, who, now); !done) return done;
  const auto stored = find_client(database, client.name);
  if (!stored) return std::unexpected(stored.error());
  auto row = database.prepare("INSERT INTO trust_client (client, trust, identity) VALUES (?, ?, ?)");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(stored->id).bind(trust).bind(came.identity).run(); !done) return done;
  if (auto done = set_granted(database, stored->id, sorted_set(came.granted)); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  impl_->take(client);
  return {};
}

Result<void> Registry::grant_by_trust(const std::string& client, const std::vector<std::string>& granted,
                                      const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto stored = find_client(database, client);
  if (!stored) return std::unexpected(stored.error());
  const auto before = read_names(database, kGranted, stored->id);
  if (!before) return std::unexpected(before.error());
  const std::vector<std::string> after = sorted_set(granted);
  if (after == *before) return {};
  const auto groups = regrouped(stored->client.groups, *before, after);
  if (auto done = set_groups(database, *stored, groups, who, now); !done) return done;
  if (auto done = set_granted(database, stored->id, after); !done) return done;
  return transaction->commit();
}

}  // namespace gw::registry
