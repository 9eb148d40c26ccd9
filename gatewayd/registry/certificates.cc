// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "gatewayd/registry/impl.h"

namespace gw::registry {
namespace {

/// Hex digits of a SHA-256; a serial number has at most 40 (RFC 5280 §4.1.2.2).
constexpr size_t kThumbprint = 64;

constexpr const char* kSelect = R"sql(
SELECT c.serial, c.client_name, c.client_number, c.wireguard, c.not_before, c.not_after, c.revoked_at, c.reason, c.sha256, t.pem
FROM certificate c LEFT JOIN certificate_text t ON t.certificate = c.id LEFT JOIN client ON client.id = c.client
)sql";

Certificate certificate_of(const Statement& row) {
  Certificate out{.serial = row.text(0),
                  .client = row.text(1),
                  .client_number = static_cast<uint32_t>(row.integer(2)),
                  .wireguard = {},
                  .not_before = row.integer(4),
                  .not_after = row.integer(5),
                  .revoked_at = row.integer(6),
                  .reason = row.text(7),
                  .sha256 = row.text(8),
                  .pem = row.text(9)};
  const auto key = row.bytes(3);
  std::copy_n(key.begin(), std::min(key.size(), out.wireguard.bytes.size()), out.wireguard.bytes.begin());
  return out;
}

/// "12:AB" as "12ab"; empty when it is not hex.
std::string normal_serial(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':') continue;
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower < '0' || lower > '9') && (lower < 'a' || lower > 'f')) return {};
    out += lower;
  }
  return out;
}

}  // namespace

Result<std::vector<Certificate>> read_certificates(const Database& database, const std::string& where,
                                                   const std::vector<std::string>& texts) {
  auto statement = database.prepare(kSelect + where + " ORDER BY c.id");
  if (!statement) return std::unexpected(statement.error());
  for (const std::string& text : texts) statement->bind(text);
  std::vector<Certificate> out;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back(certificate_of(*statement));
  }
}

Result<Certificate> find_certificate(const Database& database, const std::string& serial) {
  constexpr const char* kFind = "find certificate";
  const std::string beginning = normal_serial(serial);
  if (beginning.empty()) return failure(EINVAL, kFind, serial, "give a serial number, or the beginning of one, in hex");
  if (beginning.size() == kThumbprint) {
    auto thumb = read_certificates(database, "WHERE c.sha256 = ?", {beginning});
    if (!thumb) return std::unexpected(thumb.error());
    if (thumb->empty()) return failure(ENOENT, kFind, serial, "no certificate has that SHA-256 fingerprint");
    return std::move(thumb->front());
  }
  // 'g' sorts after every hex digit.
  auto found = read_certificates(database, "WHERE c.serial >= ? AND c.serial < ?", {beginning, beginning + "g"});
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return failure(ENOENT, kFind, serial, "no certificate has that serial number");
  const auto exact = std::ranges::find(*found, beginning, &Certificate::serial);
  if (exact != found->end()) return std::move(*exact);
  if (found->size() > 1) {
    return failure(EINVAL, kFind, serial,
                   std::to_string(found->size()) + " certificates begin so, such as " + found->at(0).serial + " and " +
                       found->at(1).serial + "; give more of it");
  }
  return std::move(found->front());
}

Result<void> check_serial(const Database& database, const std::string& serial) {
  auto same = database.prepare("SELECT client_name FROM certificate WHERE serial = ?");
  if (!same) return std::unexpected(same.error());
  const auto row = same->bind(serial).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return {};
  return failure(EEXIST, "add certificate", serial,
                 "client " + same->text(0) + " has a certificate of this serial number");
}

Result<void> insert_certificate(const Database& database, const Certificate& certificate, std::optional<int64_t> client,
                                const Client& owner) {
  auto row = database.prepare(
      "INSERT INTO certificate (serial, client, client_name, client_number, wireguard, not_before, not_after, sha256)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  if (!row) return std::unexpected(row.error());
  row->bind(certificate.serial);
  client ? row->bind(*client) : row->bind_null();
  row->bind(owner.name).bind(int64_t{owner.number});
  row->bind(std::span<const uint8_t>(certificate.wireguard.bytes))
      .bind(certificate.not_before)
      .bind(certificate.not_after);
  if (auto done = row->bind(certificate.sha256).run(); !done) return done;
  auto text = database.prepare("INSERT INTO certificate_text (certificate, pem) VALUES (?, ?)");
  if (!text) return std::unexpected(text.error());
  return text->bind(database.last_row()).bind(certificate.pem).run();
}

Result<void> revoke_all(const Database& database, int64_t client, const std::string& reason, UnixSeconds now) {
  auto statement = database.prepare(
      "UPDATE certificate SET reason = ?1, revoked_at = iif(revoked_at = 0, ?2, revoked_at)"
      " WHERE client = ?3 AND (revoked_at = 0 OR ?1 = 'keyCompromise')");
  if (!statement) return std::unexpected(statement.error());
  return statement->bind(reason).bind(now).bind(client).run();
}

Result<std::vector<Certificate>> Registry::certificates() const { return read_certificates(impl_->database); }

Result<std::vector<CertificateEnd>> Registry::certificate_ends(UnixSeconds from, UnixSeconds to) const {
  auto statement = impl_->database.prepare(
      "SELECT client.name, c.not_before, c.not_after FROM client JOIN certificate c ON c.serial = client.serial"
      " WHERE c.not_after BETWEEN ? AND ? AND c.revoked_at = 0 AND client.disabled = 0 ORDER BY c.not_after, name");
  if (!statement) return std::unexpected(statement.error());
  statement->bind(from).bind(to);
  std::vector<CertificateEnd> out;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back({statement->text(0), statement->integer(1), statement->integer(2)});
  }
}

Result<std::string> Registry::revocation_state() const {
  auto row = impl_->database.prepare(
      "SELECT count(*), max(revoked_at), sum(reason = 'keyCompromise') FROM certificate WHERE revoked_at <> 0");
  if (!row) return std::unexpected(row.error());
  if (const auto step = row->step(); !step) return std::unexpected(step.error());
  return row->text(0) + " " + row->text(1) + " " + row->text(2);
}

Result<Certificate> Registry::certificate(const std::string& serial) const {
  return find_certificate(impl_->database, serial);
}

}  // namespace gw::registry
