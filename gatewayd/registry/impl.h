// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to registry: an open registry, and what its methods share.

#include <optional>
#include <string>
#include <vector>

#include "gatewayd/registry/database.h"
#include "gatewayd/registry/registry.h"
#include "gatewayd/registry/runs.h"

namespace gw::registry {

/// The file is held by this process alone, so that what is kept in memory beside it stays true.
struct Registry::Impl {
  Database database;
  RunSet numbers;
  RunSet addresses;
  UnixSeconds stored_floor = 0;

  /// What the new client has is no longer free.
  void take(const Client& client);
};

/// A client with its row.
struct StoredClient {
  int64_t id = 0;
  Client client;
};

/// All clients by name, or the one with this name.
Result<std::vector<StoredClient>> read_clients(const Database& database, const std::string* name = nullptr);
/// ENOENT: "no client of that name".
Result<StoredClient> find_client(const Database& database, const std::string& name);
/// The certificates that `where` selects ("certificate" is `c`, its client `client.id`), oldest first.
Result<std::vector<Certificate>> read_certificates(const Database& database, const std::string& where = {},
                                                   const std::vector<std::string>& texts = {});
/// As Registry::certificate.
Result<Certificate> find_certificate(const Database& database, const std::string& serial);

/// The first column of what `sql` selects with `id` as its parameter.
Result<std::vector<std::string>> read_names(const Database& database, const char* sql, int64_t id);

/// EINVAL: a value that no certificate or client of a registry has.
Result<void> check_certificate(const Certificate& certificate);
Result<void> check_client(const Client& client);
/// EINVAL: a time that cannot be one of revocation.
Result<void> check_time(UnixSeconds now, const std::string& object);
/// EEXIST or EKEYREVOKED: the key is another client's, or was revoked as compromised. `client` is the row that may have
/// it; 0: none.
Result<void> check_key(const Database& database, const PublicKey& key, int64_t client);
/// EEXIST: a certificate has this serial number.
Result<void> check_serial(const Database& database, const std::string& serial);

/// `client`: the row it belongs to; nullopt for one whose client is gone, of whom `owner` tells name and number.
Result<void> insert_certificate(const Database& database, const Certificate& certificate, std::optional<int64_t> client,
                                const Client& owner);
/// Client, certificate, groups and audit entry, as Registry::add_client; the caller's transaction.
Result<void> insert_all(const Database& database, const Client& client, const Certificate& certificate,
                        const std::string& who, UnixSeconds now);
Result<void> insert_groups(const Database& database, int64_t client, const std::vector<std::string>& groups);
/// Revokes the certificates of a client that are not revoked yet; keyCompromise also replaces an earlier reason.
Result<void> revoke_all(const Database& database, int64_t client, const std::string& reason, UnixSeconds now);
Result<void> write_audit(const Database& database, const std::string& who, const std::string& what, UnixSeconds now);

/// What `present` asks of `stored`, the trusts of a restored registry; the caller's transaction.
Result<void> catch_up_trusts(const Database& database, const std::vector<Trust>& stored, const Present& present);

/// The word of a column `tunnel`, and the other way; NULL and "" stand for none.
void bind_tunnel(Statement& statement, const std::optional<config::Tunnel>& tunnel);
std::optional<config::Tunnel> tunnel_of(const std::string& text);

std::vector<std::string> sorted_set(std::vector<std::string> words);

/// "alice, bob"
std::string joined(const std::vector<std::string>& words);

}  // namespace gw::registry
