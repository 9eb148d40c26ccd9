// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "gatewayd/registry/impl.h"
#include "gatewayd/registry/pool.h"

namespace gw::registry {
namespace {

const char* text_of(config::Tunnel tunnel) { return tunnel == config::Tunnel::full ? "full" : "split"; }

/// EEXIST with the holder of what the new client wants, so that the sentence is better than a broken constraint's.
Result<void> check_free(const Database& database, const Client& client) {
  constexpr const char* kAdd = "add client";
  auto same =
      database.prepare("SELECT name, number, device_uuid FROM client WHERE name = ? OR number = ? OR device_uuid = ?");
  if (!same) return std::unexpected(same.error());
  const auto row = same->bind(client.name).bind(int64_t{client.number}).bind(client.device_uuid).step();
  if (!row) return std::unexpected(row.error());
  if (*row && same->text(0) == client.name)
    return failure(EEXIST, kAdd, client.name, "there is a client of that name already");
  if (*row) {
    const std::string what =
        same->integer(1) == client.number ? "number " + std::to_string(client.number) : "device " + client.device_uuid;
    return failure(EEXIST, kAdd, client.name, "client " + same->text(0) + " has " + what);
  }
  for (const IpAddress& address : client.addresses) {
    auto taken =
        database.prepare("SELECT name FROM client JOIN client_address a ON a.client = client.id WHERE a.address = ?");
    if (!taken) return std::unexpected(taken.error());
    const auto bytes = address.mapped();
    const auto holder = taken->bind(std::span<const uint8_t>(bytes)).step();
    if (!holder) return std::unexpected(holder.error());
    if (*holder)
      return failure(EEXIST, kAdd, client.name, "client " + taken->text(0) + " has the address " + address.str());
  }
  return check_key(database, client.wireguard, 0);
}

Result<int64_t> insert_client(const Database& database, const Client& client, const std::string& serial,
                              UnixSeconds now) {
  auto row = database.prepare(
      "INSERT INTO client (number, name, device_uuid, wireguard, tunnel, description, disabled, created, serial, "
      "profile)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT profile FROM registry))");
  if (!row) return std::unexpected(row.error());
  row->bind(int64_t{client.number})
      .bind(client.name)
      .bind(client.device_uuid)
      .bind(std::span<const uint8_t>(client.wireguard.bytes));
  bind_tunnel(*row, client.tunnel);
  row->bind(client.description).bind(int64_t{client.disabled}).bind(client.created != 0 ? client.created : now);
  if (auto done = row->bind(serial).run(); !done) return std::unexpected(done.error());
  const int64_t id = database.last_row();
  for (const IpAddress& address : client.addresses) {
    auto entry = database.prepare("INSERT INTO client_address (client, family, address) VALUES (?, ?, ?)");
    if (!entry) return std::unexpected(entry.error());
    const auto bytes = address.mapped();
    entry->bind(id).bind(static_cast<int64_t>(address.family)).bind(std::span<const uint8_t>(bytes));
    if (auto done = entry->run(); !done) return std::unexpected(done.error());
  }
  return id;
}

std::string list_of(const Client& client) {
  std::string out;
  for (const IpAddress& address : client.addresses) out += (out.empty() ? "" : ", ") + address.str();
  return out;
}

/// "groups developers, ops; disabled": what `to` has that `from` has not. Empty: nothing.
std::string difference(const Client& from, const Client& to) {
  std::vector<std::string> parts;
  if (from.groups != to.groups) parts.push_back("groups " + (to.groups.empty() ? "none" : joined(to.groups)));
  if (from.tunnel != to.tunnel) parts.push_back(std::string("tunnel ") + (to.tunnel ? text_of(*to.tunnel) : "default"));
  if (from.description != to.description) parts.push_back("description '" + to.description + "'");
  if (from.disabled != to.disabled) parts.emplace_back(to.disabled ? "disabled" : "enabled");
  return joined(parts);
}

Result<void> write_client(const Database& database, const StoredClient& before, const Client& after) {
  auto row = database.prepare(
      "UPDATE client SET tunnel = ?, description = ?, disabled = ?, profile = iif(?, 'tunnel changed', profile) WHERE "
      "id = ?");
  if (!row) return std::unexpected(row.error());
  bind_tunnel(*row, after.tunnel);
  row->bind(after.description)
      .bind(int64_t{after.disabled})
      .bind(int64_t{before.client.tunnel != after.tunnel})
      .bind(before.id);
  if (auto done = row->run(); !done) return done;
  auto gone = database.prepare("DELETE FROM client_group WHERE client = ?");
  if (!gone) return std::unexpected(gone.error());
  if (auto done = gone->bind(before.id).run(); !done) return done;
  return insert_groups(database, before.id, after.groups);
}

}  // namespace

std::vector<std::string> sorted_set(std::vector<std::string> words) {
  std::ranges::sort(words);
  words.erase(std::ranges::unique(words).begin(), words.end());
  return words;
}

void bind_tunnel(Statement& statement, const std::optional<config::Tunnel>& tunnel) {
  if (tunnel) {
    statement.bind(text_of(*tunnel));
  } else {
    statement.bind_null();
  }
}

std::optional<config::Tunnel> tunnel_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text == "full" ? config::Tunnel::full : config::Tunnel::split;
}

Result<void> insert_groups(const Database& database, int64_t client, const std::vector<std::string>& groups) {
  auto row = database.prepare("INSERT INTO client_group (client, name) VALUES (?, ?)");
  if (!row) return std::unexpected(row.error());
  for (const std::string& group : sorted_set(groups)) {
    if (auto done = row->bind(client).bind(group).run(); !done) return done;
    row->reset();
  }
  return {};
}

Result<void> write_audit(const Database& database, const std::string& who, const std::string& what, UnixSeconds now) {
  auto row = database.prepare("INSERT INTO audit (at, who, what) VALUES (?, ?, ?)");
  if (!row) return std::unexpected(row.error());
  return row->bind(now).bind(who).bind(what).run();
}

Result<void> insert_all(const Database& database, const Client& client, const Certificate& certificate,
                        const std::string& who, UnixSeconds now) {
  if (auto good = check_client(client); !good) return good;
  if (auto good = check_certificate(certificate); !good) return good;
  if (certificate.wireguard != client.wireguard)
    return failure(EINVAL, "add client", client.name, "the certificate is for another WireGuard key");
  if (auto free = check_free(database, client); !free) return free;
  if (auto free = check_serial(database, certificate.serial); !free) return free;
  const auto id = insert_client(database, client, certificate.serial, now);
  if (!id) return std::unexpected(id.error());
  if (auto done = insert_certificate(database, certificate, *id, client); !done) return done;
  if (auto done = insert_groups(database, *id, client.groups); !done) return done;
  const std::string groups = client.groups.empty() ? "" : "; groups " + joined(sorted_set(client.groups));
  const std::string what =
      "client add " + client.name + ": " + list_of(client) + "; certificate " + certificate.serial + groups;
  return write_audit(database, who, what, now);
}

void Registry::Impl::take(const Client& client) {
  numbers.insert(client.number);
  for (const IpAddress& address : client.addresses) addresses.insert(value_of(address));
}

Result<void> Registry::add_client(const Client& client, const Certificate& certificate, const std::string& who,
                                  UnixSeconds now) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = insert_all(impl_->database, client, certificate, who, now); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  impl_->take(client);
  return {};
}

Result<void> Registry::update_client(const Client& client, const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto before = find_client(database, client.name);
  if (!before) return std::unexpected(before.error());
  Client after = before->client;
  after.groups = sorted_set(client.groups);
  after.tunnel = client.tunnel;
  after.description = client.description;
  after.disabled = client.disabled;
  if (auto good = check_client(after); !good) return good;
  const std::string what = difference(before->client, after);
  if (what.empty()) return {};
  if (auto done = write_client(database, *before, after); !done) return done;
  if (auto done = write_audit(database, who, "client set " + client.name + ": " + what, now); !done) return done;
  return transaction->commit();
}

Result<void> Registry::remove_client(const std::string& name, const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  if (auto good = check_time(now, name); !good) return good;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto stored = find_client(database, name);
  if (!stored) return std::unexpected(stored.error());
  if (auto done = revoke_all(database, stored->id, "cessationOfOperation", now); !done) return done;
  auto gone = database.prepare("DELETE FROM client WHERE id = ?");
  if (!gone) return std::unexpected(gone.error());
  if (auto done = gone->bind(stored->id).run(); !done) return done;
  if (auto done = write_audit(database, who, "client remove " + name + ": " + list_of(stored->client), now); !done)
    return done;
  if (auto done = transaction->commit(); !done) return done;
  impl_->numbers.erase(stored->client.number);
  for (const IpAddress& address : stored->client.addresses) impl_->addresses.erase(value_of(address));
  return {};
}

}  // namespace gw::registry
