// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <set>

#include "gatewayd/base/label.h"
#include "gatewayd/registry/impl.h"

namespace gw::registry {
namespace {

constexpr size_t kLongestPem = size_t{16} << 10U;
constexpr size_t kLongestDescription = 1024;
constexpr size_t kLongestGroup = 63;
constexpr size_t kMostGroups = 256;
constexpr uint32_t kHighestNumber = 1U << 20U;  // peers of a WireGuard device (drivers/net/wireguard/messages.h)

std::unexpected<Error> refused(const std::string& object, std::string why) {
  return failure(EINVAL, "store", object, std::move(why));
}

bool has_control(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_groups(const Client& client) {
  if (client.groups.size() > kMostGroups) return refused(client.name, "it is in more than 256 groups");
  for (const std::string& group : client.groups) {
    if (group.empty() || group.size() > kLongestGroup || has_control(group)) {
      return refused(client.name, "a group's name has 1 to 63 characters, none of them control characters");
    }
  }
  return {};
}

Result<void> check_addresses(const Client& client) {
  std::set<Family> families;
  for (const IpAddress& address : client.addresses) {
    if (!families.insert(address.family).second) return refused(client.name, "it has two addresses of one family");
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> read_names(const Database& database, const char* sql, int64_t id) {
  auto statement = database.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  statement->bind(id);
  std::vector<std::string> out;
  for (;;) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back(statement->text(0));
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

Result<void> check_certificate(const Certificate& certificate) {
  const std::string object = "certificate " + certificate.serial.substr(0, 40);
  const bool hex = certificate.serial.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (certificate.serial.empty() || certificate.serial.size() > 40 || !hex)
    return refused(object, "its serial number is not hex");
  if (certificate.wireguard.is_low_order()) {
    return refused(object, "the WireGuard key " + certificate.wireguard.str() +
                               " is a point of low order, which protects nothing");
  }
  if (certificate.pem.size() > kLongestPem || certificate.sha256.size() > 64)
    return refused(object, "it is longer than 16 KiB");
  if (certificate.not_after < certificate.not_before) return refused(object, "it ends before it begins");
  return {};
}

Result<void> check_time(UnixSeconds now, const std::string& object) {
  if (now > 0) return {};
  return failure(EINVAL, "revoke", object, "the clock is before 1970");  // a revocation at 0 would be none
}

Result<void> check_client(const Client& client) {
  if (!is_label(client.name)) {
    return refused("client " + client.name.substr(0, 80), "its name is no host name of at most 63 of a-z, 0-9 and '-'");
  }
  if (client.number == 0 || client.number > kHighestNumber)
    return refused(client.name, "its number is not in 1 to 1048576");
  if (client.device_uuid.empty() || client.device_uuid.size() > 36)
    return refused(client.name, "its device has no UUID");
  if (client.description.size() > kLongestDescription || has_control(client.description)) {
    return refused(client.name, "its description is longer than 1024 bytes or holds control characters");
  }
  if (auto good = check_groups(client); !good) return good;
  return check_addresses(client);
}

Result<void> check_key(const Database& database, const PublicKey& key, int64_t client) {
  const std::span<const uint8_t> bytes(key.bytes);
  auto other = database.prepare("SELECT name FROM client WHERE wireguard = ? AND id <> ?");
  if (!other) return std::unexpected(other.error());
  const auto held = other->bind(bytes).bind(client).step();
  if (!held) return std::unexpected(held.error());
  if (*held) {
    return failure(EEXIST, "store WireGuard key", key.str(),
                   "client " + other->text(0) + " has it; every device makes its own");
  }
  auto compromised =
      database.prepare("SELECT serial FROM certificate WHERE wireguard = ? AND reason = 'keyCompromise'");
  if (!compromised) return std::unexpected(compromised.error());
  const auto row = compromised->bind(bytes).step();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    return failure(EKEYREVOKED, "store WireGuard key", key.str(),
                   "certificate " + compromised->text(0) + " with this key was revoked as compromised; make new keys");
  }
  return {};
}

}  // namespace gw::registry
