// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "gatewayd/registry/file.h"
#include "gatewayd/registry/impl.h"

/// Into a backup and out of it.
namespace gw::registry {
namespace {

/// More revocation lists than any gateway makes: their numbers must not come twice (RFC 5280 §5.2.3), and those of the
/// time since the backup are not known.
constexpr uint64_t kCrlGap = uint64_t{1} << 20U;

Result<void> raise(const Database& database, const Present& present) {
  auto row =
      database.prepare("UPDATE registry SET crl_number = max(crl_number, ?1) + ?2, time_floor = max(time_floor, ?3)");
  if (!row) return std::unexpected(row.error());
  return row->bind(static_cast<int64_t>(present.crl_number))
      .bind(static_cast<int64_t>(kCrlGap))
      .bind(present.time_floor)
      .run();
}

/// What is revoked stays so; what the backup has not is listed as revoked.
Result<void> take_over(const Database& database, const Certificate& known, UnixSeconds now) {
  auto found = database.prepare("SELECT revoked_at FROM certificate WHERE serial = ?");
  if (!found) return std::unexpected(found.error());
  const auto there = found->bind(known.serial).step();
  if (!there) return std::unexpected(there.error());
  if (*there && (known.revoked_at == 0 || found->integer(0) != 0)) return {};
  if (!*there) {
    Client owner;
    owner.name = known.client;
    owner.number = known.client_number;
    if (auto added = insert_certificate(database, known, std::nullopt, owner); !added) return added;
  }
  const bool revoked = known.revoked_at != 0;
  auto row = database.prepare("UPDATE certificate SET revoked_at = ?, reason = ? WHERE serial = ?");
  if (!row) return std::unexpected(row.error());
  return row->bind(revoked ? known.revoked_at : now)
      .bind(revoked ? known.reason : std::string("cessationOfOperation"))
      .bind(known.serial)
      .run();
}

}  // namespace

Result<void> Registry::copy_to(const std::string& path) const { return copy_database(impl_->database, path); }

Result<void> Registry::catch_up(const Present& present, const std::string& who, UnixSeconds now) {
  const Database& database = impl_->database;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = database.execute("DELETE FROM token"); !done) return done;
  if (auto done = raise(database, present); !done) return done;
  for (const Certificate& known : present.certificates) {
    if (auto done = take_over(database, known, now); !done) return done;
  }
  const auto stored = trusts();
  if (!stored) return std::unexpected(stored.error());
  if (auto done = catch_up_trusts(database, *stored, present); !done) return done;
  if (present.disable_clients) {
    if (auto done = database.execute("UPDATE client SET disabled = 1"); !done) return done;
  }
  const std::string what = std::string("restored from a backup; clients ") +
                           (present.disable_clients ? "disabled, trusts without maps" : "as they were");
  if (auto done = write_audit(database, who, what, now); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  impl_->stored_floor = std::max(impl_->stored_floor, present.time_floor);
  return {};
}

}  // namespace gw::registry
