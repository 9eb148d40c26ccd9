// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <unordered_map>

#include "gatewayd/registry/impl.h"
#include "gatewayd/registry/pool.h"

namespace gw::registry {
namespace {

// A client that got its profile before there was a fingerprint has none to be compared.
constexpr const char* kSelect = R"sql(
SELECT client.id, number, name, device_uuid, client.wireguard, tunnel, description, disabled, created, client.serial,
       c.not_after, c.revoked_at, client.profile <> '' AND client.profile <> registry.profile
FROM client JOIN certificate c ON c.serial = client.serial, registry
)sql";

PublicKey key_of(std::span<const uint8_t> bytes) {
  PublicKey key;
  std::copy_n(bytes.begin(), std::min(bytes.size(), key.bytes.size()), key.bytes.begin());
  return key;
}

StoredClient client_of(const Statement& row) {
  return {.id = row.integer(0),
          .client = {.number = static_cast<uint32_t>(row.integer(1)),
                     .name = row.text(2),
                     .device_uuid = row.text(3),
                     .wireguard = key_of(row.bytes(4)),
                     .groups = {},
                     .addresses = {},
                     .tunnel = tunnel_of(row.text(5)),
                     .description = row.text(6),
                     .disabled = row.integer(7) != 0,
                     .created = row.integer(8),
                     .serial = row.text(9),
                     .not_after = row.integer(10),
                     .revoked_at = row.integer(11),
                     .profile_outdated = row.integer(12) != 0}};
}

/// Calls `use` with each row; `id` restricts the query by its first parameter when not null.
template <class Use>
Result<void> each(const Database& database, const std::string& sql, const int64_t* id, Use use) {
  auto statement = database.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  if (id != nullptr) statement->bind(*id);
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    use(*statement);
  }
}

/// Groups and addresses in two queries for all clients, not two for each.
Result<void> add_details(const Database& database, std::vector<StoredClient>& clients, bool one) {
  std::unordered_map<int64_t, Client*> by_id;
  for (StoredClient& stored : clients) by_id[stored.id] = &stored.client;
  const int64_t* id = one ? &clients.front().id : nullptr;
  const std::string where = one ? " WHERE client = ?" : "";
  const auto groups = each(database, "SELECT client, name FROM client_group" + where + " ORDER BY client, name", id,
                           [&](const Statement& row) { by_id[row.integer(0)]->groups.push_back(row.text(1)); });
  if (!groups) return groups;
  return each(database, "SELECT client, address FROM client_address" + where + " ORDER BY client, family", id,
              [&](const Statement& row) {
                std::array<uint8_t, 16> bytes{};
                std::ranges::copy(row.bytes(1), bytes.begin());
                by_id[row.integer(0)]->addresses.push_back(IpAddress::from_mapped(bytes));
              });
}

}  // namespace

Result<std::vector<StoredClient>> read_clients(const Database& database, const std::string* name) {
  auto statement = database.prepare(std::string(kSelect) + (name != nullptr ? "WHERE name = ?" : "ORDER BY name"));
  if (!statement) return std::unexpected(statement.error());
  if (name != nullptr) statement->bind(*name);
  std::vector<StoredClient> clients;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    clients.push_back(client_of(*statement));
  }
  if (clients.empty()) return clients;
  if (auto added = add_details(database, clients, name != nullptr); !added) return std::unexpected(added.error());
  return clients;
}

Result<StoredClient> find_client(const Database& database, const std::string& name) {
  auto found = read_clients(database, &name);
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return failure(ENOENT, "find client", name, "there is no client of that name");
  return std::move(found->front());
}

Result<std::vector<Client>> Registry::clients() const {
  auto stored = read_clients(impl_->database);
  if (!stored) return std::unexpected(stored.error());
  std::vector<Client> out;
  out.reserve(stored->size());
  for (StoredClient& one : *stored) out.push_back(std::move(one.client));
  return out;
}

Result<Client> Registry::client(const std::string& name) const {
  auto stored = find_client(impl_->database, name);
  if (!stored) return std::unexpected(stored.error());
  return std::move(stored->client);
}

}  // namespace gw::registry
