// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "gatewayd/registry/impl.h"

/// One-time invitations.
namespace gw::registry {
namespace {

constexpr const char* kSelect = R"sql(
SELECT id, hash, name, tunnel, description, days, uses, used, expires, revoked_at, created, who FROM token
)sql";

Token token_of(const Statement& row) {
  Token out{.id = row.integer(0),
            .hash = {},
            .name = row.text(2),
            .groups = {},
            .tunnel = tunnel_of(row.text(3)),
            .description = row.text(4),
            .days = static_cast<uint32_t>(row.integer(5)),
            .uses = static_cast<uint32_t>(row.integer(6)),
            .used = static_cast<uint32_t>(row.integer(7)),
            .expires = row.integer(8),
            .revoked_at = row.integer(9),
            .created = row.integer(10),
            .who = row.text(11),
            .clients = {}};
  const auto hash = row.bytes(1);
  std::copy_n(hash.begin(), std::min(hash.size(), out.hash.size()), out.hash.begin());
  return out;
}

Result<void> add_details(const Database& database, Token& token) {
  auto groups = read_names(database, "SELECT name FROM token_group WHERE token = ? ORDER BY name", token.id);
  if (!groups) return std::unexpected(groups.error());
  auto clients = read_names(database,
                            "SELECT client.name FROM token_use u JOIN certificate c ON c.serial = u.serial"
                            " JOIN client ON client.id = c.client WHERE u.token = ? ORDER BY client.name",
                            token.id);
  if (!clients) return std::unexpected(clients.error());
  token.groups = std::move(*groups);
  token.clients = std::move(*clients);
  return {};
}

Result<void> count_use(const Database& database, int64_t token, const std::string& serial, UnixSeconds now) {
  auto row = database.prepare(
      "UPDATE token SET used = used + 1 WHERE id = ? AND used < uses AND revoked_at = 0 AND expires > ? RETURNING id");
  if (!row) return std::unexpected(row.error());
  const auto held = row->bind(token).bind(now).step();
  if (!held) return std::unexpected(held.error());
  if (!*held) return failure(EACCES, "redeem token", std::to_string(token), "it holds no more");
  if (auto done = row->run(); !done) return done;
  auto use = database.prepare("INSERT INTO token_use (token, serial) VALUES (?, ?)");
  if (!use) return std::unexpected(use.error());
  return use->bind(token).bind(serial).run();
}

}  // namespace

Result<int64_t> Registry::add_token(const Token& token, UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  auto row = database.prepare(
      "INSERT INTO token (hash, name, tunnel, description, days, uses, expires, created, who)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!row) return std::unexpected(row.error());
  row->bind(std::span<const uint8_t>(token.hash)).bind(token.name);
  bind_tunnel(*row, token.tunnel);
  row->bind(token.description).bind(int64_t{token.days}).bind(int64_t{token.uses}).bind(token.expires);
  if (auto done = row->bind(now).bind(token.who).run(); !done) return std::unexpected(done.error());
  const int64_t id = database.last_row();
  auto group = database.prepare("INSERT OR IGNORE INTO token_group (token, name) VALUES (?, ?)");
  if (!group) return std::unexpected(group.error());
  for (const std::string& name : token.groups) {
    if (auto done = group->bind(id).bind(name).run(); !done) return std::unexpected(done.error());
    group->reset();
  }
  const std::string what = "token create " + std::to_string(id) + ": " +
                           (token.name.empty() ? "any name" : token.name) + "; groups " +
                           (token.groups.empty() ? "none" : joined(token.groups));
  if (auto done = write_audit(database, token.who, what, now); !done) return std::unexpected(done.error());
  if (auto done = transaction->commit(); !done) return std::unexpected(done.error());
  return id;
}

Result<std::vector<Token>> Registry::tokens() const {
  auto statement = impl_->database.prepare(std::string(kSelect) + "ORDER BY id DESC");
  if (!statement) return std::unexpected(statement.error());
  std::vector<Token> out;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    out.push_back(token_of(*statement));
  }
  for (Token& token : out) {
    if (auto done = add_details(impl_->database, token); !done) return std::unexpected(done.error());
  }
  return out;
}

// Looked up by the hash of what somebody sent: how far it agrees with another hash tells nothing about the secret.
Result<Token> Registry::token(const std::array<uint8_t, 32>& hash) const {
  auto statement = impl_->database.prepare(std::string(kSelect) + "WHERE hash = ?");
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->bind(std::span<const uint8_t>(hash)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return failure(ENOENT, "find token", {}, "there is no such token");
  Token out = token_of(*statement);
  if (auto done = add_details(impl_->database, out); !done) return std::unexpected(done.error());
  return out;
}

Result<Certificate> Registry::token_certificate(int64_t token, const PublicKey& wireguard) const {
  auto statement = impl_->database.prepare(
      "SELECT c.serial FROM token_use u JOIN certificate c ON c.serial = u.serial"
      " WHERE u.token = ? AND c.wireguard = ? AND c.revoked_at = 0");
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->bind(token).bind(std::span<const uint8_t>(wireguard.bytes)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return failure(ENOENT, "find certificate", {}, "the token made none for this key");
  return find_certificate(impl_->database, statement->text(0));
}

Result<void> Registry::redeem_token(int64_t token, const Client& client, const Certificate& certificate,
                                    const std::string& who, UnixSeconds now) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = count_use(impl_->database, token, certificate.serial, now); !done) return done;
  if (auto done = insert_all(impl_->database, client, certificate, who, now); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  impl_->take(client);
  return {};
}

Result<void> Registry::revoke_token(int64_t id, const std::string& who, UnixSeconds now) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  auto row = impl_->database.prepare(
      "UPDATE token SET revoked_at = iif(revoked_at = 0, ?, revoked_at) WHERE id = ? RETURNING id");
  if (!row) return std::unexpected(row.error());
  const auto found = row->bind(now).bind(id).step();
  if (!found) return std::unexpected(found.error());
  if (!*found) {
    return failure(ENOENT, "revoke token", std::to_string(id),
                   "there is none of this number: gwctl token list shows all");
  }
  if (auto done = row->run(); !done) return done;
  if (auto done = write_audit(impl_->database, who, "token revoke " + std::to_string(id), now); !done) return done;
  return transaction->commit();
}

Result<void> Registry::remove_ended_tokens(UnixSeconds before) {
  auto row = impl_->database.prepare("DELETE FROM token WHERE expires <= ?1 OR (revoked_at <> 0 AND revoked_at <= ?1)");
  if (!row) return std::unexpected(row.error());
  return row->bind(before).run();
}

Result<std::string> Registry::front_key() const {
  auto row = impl_->database.prepare("SELECT front_key FROM registry");
  if (!row) return std::unexpected(row.error());
  if (const auto step = row->step(); !step) return std::unexpected(step.error());
  return row->text(0);
}

Result<void> Registry::set_front_key(const std::string& pin) {
  auto row = impl_->database.prepare("UPDATE registry SET front_key = ?1 WHERE front_key <> ?1");
  if (!row) return std::unexpected(row.error());
  return row->bind(pin).run();
}

}  // namespace gw::registry
