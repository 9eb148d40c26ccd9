// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/registry.h"

#include <algorithm>
#include <cerrno>

#include "gatewayd/base/label.h"
#include "gatewayd/registry/file.h"
#include "gatewayd/registry/impl.h"
#include "gatewayd/registry/pool.h"

namespace gw::registry {
namespace {

constexpr UnixSeconds kFloorStep = 600;

Result<void> load_taken(Registry::Impl& impl) {
  auto numbers = impl.database.prepare("SELECT number FROM client");
  if (!numbers) return std::unexpected(numbers.error());
  for (;;) {
    const auto row = numbers->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    impl.numbers.insert(static_cast<Value>(numbers->integer(0)));
  }
  auto addresses = impl.database.prepare("SELECT address FROM client_address");
  if (!addresses) return std::unexpected(addresses.error());
  for (;;) {
    const auto row = addresses->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    Value value = 0;
    for (const uint8_t byte : addresses->bytes(0)) value = value << 8U | byte;
    impl.addresses.insert(value);
  }
}

Result<IpAddress> lowest_free(const RunSet& taken, const Prefix& pool, const std::string& name) {
  constexpr const char* kPlan = "find an address for client";
  const auto range = client_range(pool);
  if (!range) {
    return failure(
        ENOSPC, kPlan, name,
        pool.str() +
            " has no address for clients: the gateway keeps the first two; write a larger prefix in vpn.subnets");
  }
  const Value free = taken.lowest_free(range->first);
  if (free <= range->last) return address_of(free);
  const uint64_t count = taken.count(range->first, range->last);
  return failure(ENOSPC, kPlan, name,
                 "all " + std::to_string(range->size()) + " addresses of " + pool.str() + " are taken by " +
                     std::to_string(count) +
                     " clients; remove some (gwctl client remove) or write a larger prefix in vpn.subnets");
}

}  // namespace

Result<Registry> Registry::open(const std::string& path) {
  auto database = open_file(path);
  if (!database) return std::unexpected(database.error());
  auto impl = std::make_unique<Impl>(Impl{.database = std::move(*database), .numbers = {}, .addresses = {}});
  if (auto loaded = load_taken(*impl); !loaded) return std::unexpected(loaded.error());
  const auto floor = impl->database.number("SELECT time_floor FROM registry");
  if (!floor) return std::unexpected(floor.error());
  impl->stored_floor = *floor;
  return Registry(std::move(impl));
}

Registry::Registry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;
Registry::~Registry() = default;

Result<Client> Registry::plan_client(const std::string& name, const std::vector<Prefix>& pools) const {
  if (!is_label(name)) {
    return failure(EINVAL, "add client", name.substr(0, 80),
                   "give a host name of at most 63 of a-z, 0-9 and '-' that begins and ends with a letter or digit");
  }
  auto same = impl_->database.prepare("SELECT 1 FROM client WHERE name = ?");
  if (!same) return std::unexpected(same.error());
  const auto row = same->bind(name).step();
  if (!row) return std::unexpected(row.error());
  if (*row) return failure(EEXIST, "add client", name, "there is a client of that name already");
  Client client;
  client.name = name;
  client.number = static_cast<uint32_t>(impl_->numbers.lowest_free(1));
  for (const Prefix& pool : pools) {
    const auto address = lowest_free(impl_->addresses, pool, name);
    if (!address) return std::unexpected(address.error());
    client.addresses.push_back(*address);
  }
  std::ranges::sort(client.addresses);
  return client;
}

Result<std::vector<PoolUse>> Registry::pool_use(const std::vector<Prefix>& pools) const {
  std::vector<PoolUse> out;
  for (const Prefix& pool : pools) {
    PoolUse use{.prefix = pool};
    if (const auto range = client_range(pool)) {
      use.size = range->size();
      use.allocated = impl_->addresses.count(range->first, range->last);
    }
    out.push_back(use);
  }
  return out;
}

Result<std::vector<AuditEntry>> Registry::audit(size_t newest) const {
  auto statement = impl_->database.prepare("SELECT at, who, what FROM audit ORDER BY id DESC LIMIT ?");
  if (!statement) return std::unexpected(statement.error());
  statement->bind(static_cast<int64_t>(std::min<size_t>(newest, INT64_MAX)));
  std::vector<AuditEntry> out;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back({statement->integer(0), statement->text(1), statement->text(2)});
  }
}

Result<void> Registry::set_profile_fingerprint(const std::string& fingerprint) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  // Clients that were added before the first fingerprint got their profile under it.
  for (const char* sql : {"UPDATE client SET profile = ?1 WHERE profile = '' AND (SELECT profile FROM registry) = ''",
                          "UPDATE registry SET profile = ?1 WHERE profile <> ?1"}) {
    auto statement = impl_->database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    if (auto done = statement->bind(fingerprint).run(); !done) return done;
  }
  return transaction->commit();
}

Result<void> Registry::mark_profile_current(const std::string& name) {
  const auto stored = find_client(impl_->database, name);
  if (!stored) return std::unexpected(stored.error());
  auto row = impl_->database.prepare("UPDATE client SET profile = (SELECT profile FROM registry) WHERE id = ?");
  if (!row) return std::unexpected(row.error());
  return row->bind(stored->id).run();
}

UnixSeconds Registry::time_floor() const { return impl_->stored_floor; }

Result<void> Registry::raise_time_floor(UnixSeconds to, bool at_once) {
  if (to <= impl_->stored_floor || (!at_once && to - impl_->stored_floor < kFloorStep)) return {};
  auto row = impl_->database.prepare("UPDATE registry SET time_floor = ?");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(to).run(); !done) return done;
  impl_->stored_floor = to;
  return {};
}

Result<void> Registry::reset_time_floor(UnixSeconds to, const std::string& who) {
  auto transaction = Transaction::begin(impl_->database);
  if (!transaction) return std::unexpected(transaction.error());
  auto row = impl_->database.prepare("UPDATE registry SET time_floor = ?");
  if (!row) return std::unexpected(row.error());
  if (auto done = row->bind(to).run(); !done) return done;
  const std::string what = "time reset: no longer at least " + std::to_string(impl_->stored_floor);
  if (auto done = write_audit(impl_->database, who, what, to); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  impl_->stored_floor = to;
  return {};
}

Result<uint64_t> Registry::next_crl_number() {
  auto row = impl_->database.prepare("UPDATE registry SET crl_number = crl_number + 1 RETURNING crl_number");
  if (!row) return std::unexpected(row.error());
  const auto step = row->step();
  if (!step) return std::unexpected(step.error());
  const auto number = static_cast<uint64_t>(row->integer(0));
  if (auto done = row->run(); !done) return std::unexpected(done.error());  // commits: the row alone does not
  return number;
}

}  // namespace gw::registry
