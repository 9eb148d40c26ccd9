// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "gatewayd/registry/impl.h"

/// The deny list.
namespace gw::registry {
namespace {

IpAddress address_of(std::span<const uint8_t> bytes) {
  std::array<uint8_t, 16> mapped{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), mapped.size())), mapped.begin());
  return IpAddress::from_mapped(mapped);
}

}  // namespace

Result<std::vector<Block>> Registry::blocks() const {
  auto statement = impl_->database.prepare("SELECT address, length, until, comment, who, created FROM block");
  if (!statement) return std::unexpected(statement.error());
  std::vector<Block> out;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    out.push_back({.prefix = Prefix::of(address_of(statement->bytes(0)), static_cast<uint8_t>(statement->integer(1))),
                   .until = statement->integer(2),
                   .comment = statement->text(3),
                   .who = statement->text(4),
                   .created = statement->integer(5)});
  }
  std::ranges::sort(out, {}, &Block::prefix);
  return out;
}

Result<void> Registry::put_block(const Block& block, UnixSeconds now) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  auto row = impl_->database.prepare(
      "INSERT INTO block (address, length, until, comment, who, created) VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET until = excluded.until, comment = excluded.comment, who = excluded.who,"
      " created = excluded.created");
  if (!row) return std::unexpected(row.error());
  const auto bytes = block.prefix.address.mapped();
  row->bind(std::span<const uint8_t>(bytes))
      .bind(int64_t{block.prefix.length})
      .bind(block.until)
      .bind(block.comment)
      .bind(block.who)
      .bind(block.created);
  if (auto done = row->run(); !done) return done;
  if (auto done = write_audit(impl_->database, block.who, "block add " + block.prefix.str(), now); !done) return done;
  return transaction->commit();
}

Result<void> Registry::remove_block(const Prefix& prefix, const std::string& who, UnixSeconds now) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  auto row = impl_->database.prepare("DELETE FROM block WHERE address = ? AND length = ? RETURNING length");
  if (!row) return std::unexpected(row.error());
  const auto bytes = prefix.address.mapped();
  const auto found = row->bind(std::span<const uint8_t>(bytes)).bind(int64_t{prefix.length}).step();
  if (!found) return std::unexpected(found.error());
  if (!*found)
    return failure(ENOENT, "remove block", prefix.str(), "it is not on the deny list: gwctl block list shows what is");
  if (auto done = row->run(); !done) return done;
  if (auto done = write_audit(impl_->database, who, "block remove " + prefix.str(), now); !done) return done;
  return transaction->commit();
}

Result<void> Registry::remove_ended_blocks(UnixSeconds now) {
  auto row = impl_->database.prepare("DELETE FROM block WHERE until <> 0 AND until <= ?");
  if (!row) return std::unexpected(row.error());
  return row->bind(now).run();
}

}  // namespace gw::registry
