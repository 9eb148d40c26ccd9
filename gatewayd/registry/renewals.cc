// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "gatewayd/base/revocation.h"
#include "gatewayd/registry/impl.h"

namespace gw::registry {
namespace {

constexpr const char* kRenew = "renew client";
constexpr const char* kRekey = "rekey client";

Result<void> make_newest(const Database& database, int64_t client, const Certificate& certificate) {
  auto row = database.prepare("UPDATE client SET serial = ?, wireguard = ? WHERE id = ?");
  if (!row) return std::unexpected(row.error());
  return row->bind(certificate.serial).bind(std::span<const uint8_t>(certificate.wireguard.bytes)).bind(client).run();
}

Result<void> check_reason(const std::string& reason, const std::string& object) {
  if (revocation_reason(reason)) return {};
  return failure(EINVAL, "revoke", object,
                 "'" + reason.substr(0, 40) + "' is no reason; give one of " + revocation_reasons());
}

}  // namespace

Result<void> Registry::add_certificate(const Certificate& certificate, const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  if (auto good = check_certificate(certificate); !good) return good;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto stored = find_client(database, certificate.client);
  if (!stored) return std::unexpected(stored.error());
  const Client& client = stored->client;
  if (client.wireguard != certificate.wireguard)
    return failure(EINVAL, kRenew, client.name, "the certificate is for another WireGuard key");
  if (client.revoked_at != 0) {
    return failure(EKEYREVOKED, kRenew, client.name,
                   "its certificate was revoked; only new keys give it access again (gwctl client rekey)");
  }
  if (auto free = check_serial(database, certificate.serial); !free) return free;
  if (auto done = insert_certificate(database, certificate, stored->id, client); !done) return done;
  if (auto done = make_newest(database, stored->id, certificate); !done) return done;
  if (auto done =
          write_audit(database, who, "client renew " + client.name + ": certificate " + certificate.serial, now);
      !done)
    return done;
  return transaction->commit();
}

Result<void> Registry::rekey_client(const std::string& name, const Certificate& certificate, const std::string& who,
                                    UnixSeconds now) {
  const Database& database = impl_->database;
  if (auto good = check_certificate(certificate); !good) return good;
  if (auto good = check_time(now, name); !good) return good;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto stored = find_client(database, name);
  if (!stored) return std::unexpected(stored.error());
  if (stored->client.wireguard == certificate.wireguard) {
    return failure(EINVAL, kRekey, name,
                   "that is the key it has; make a new one, or renew the certificate (gwctl client renew)");
  }
  if (auto good = check_key(database, certificate.wireguard, stored->id); !good) return good;
  if (auto done = revoke_all(database, stored->id, "superseded", now); !done) return done;
  if (auto free = check_serial(database, certificate.serial); !free) return free;
  if (auto done = insert_certificate(database, certificate, stored->id, stored->client); !done) return done;
  if (auto done = make_newest(database, stored->id, certificate); !done) return done;
  auto profile = database.prepare("UPDATE client SET profile = (SELECT profile FROM registry) WHERE id = ?");
  if (!profile) return std::unexpected(profile.error());
  if (auto done = profile->bind(stored->id).run(); !done) return done;
  if (auto done = write_audit(database, who, "client rekey " + name + ": certificate " + certificate.serial, now);
      !done)
    return done;
  return transaction->commit();
}

Result<void> Registry::revoke_client(const std::string& name, const std::string& reason, const std::string& who,
                                     UnixSeconds now) {
  const Database& database = impl_->database;
  if (auto good = check_reason(reason, name); !good) return good;
  if (auto good = check_time(now, name); !good) return good;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto stored = find_client(database, name);
  if (!stored) return std::unexpected(stored.error());
  if (auto done = revoke_all(database, stored->id, reason, now); !done) return done;
  if (auto done = write_audit(database, who, "client revoke " + name + ": " + reason, now); !done) return done;
  return transaction->commit();
}

Result<void> Registry::revoke_certificate(const std::string& serial, const std::string& reason, const std::string& who,
                                          UnixSeconds now) {
  const Database& database = impl_->database;
  if (auto good = check_reason(reason, serial); !good) return good;
  if (auto good = check_time(now, serial); !good) return good;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  const auto found = find_certificate(database, serial);
  if (!found) return std::unexpected(found.error());
  auto row = database.prepare(
      "UPDATE certificate SET reason = ?1, revoked_at = iif(revoked_at = 0, ?2, revoked_at)"
      " WHERE serial = ?3 AND (revoked_at = 0 OR ?1 = 'keyCompromise')");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(reason).bind(now).bind(found->serial).run(); !done) return done;
  const std::string what = "cert revoke " + found->serial + " of " + found->client + ": " + reason;
  if (auto done = write_audit(database, who, what, now); !done) return done;
  return transaction->commit();
}

}  // namespace gw::registry
