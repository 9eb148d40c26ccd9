// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"
#include "gatewayd/config/config.h"

namespace gw::registry {

/// One certificate ever issued.
struct Certificate {
  std::string serial;  ///< hex, key
  std::string client;  ///< name at the time of issue
  uint32_t client_number = 0;
  PublicKey wireguard;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  UnixSeconds revoked_at = 0;  ///< 0: not revoked
  std::string reason;          ///< RFC 5280 §5.3.1 name: "keyCompromise", "superseded", "unspecified", …
  std::string sha256;
  std::string pem;
  bool operator==(const Certificate&) const = default;
};

/// A device with access. Name, key and addresses are unique.
struct Client {
  uint32_t number = 0;  ///< 1-based, smallest free at the time of adding: index of its BPF counters
  std::string name;     ///< a host name label (RFC 1123)
  std::string device_uuid;
  PublicKey wireguard;
  std::vector<std::string> groups;  ///< sorted
  std::vector<IpAddress> addresses; ///< at most one of each family
  std::optional<config::Tunnel> tunnel;
  std::string description;
  bool disabled = false;
  UnixSeconds created = 0;
  /// Of the newest certificate of the current key.
  std::string serial;
  UnixSeconds not_after = 0;
  UnixSeconds revoked_at = 0;  ///< of that certificate; 0: not revoked
  bool profile_outdated = false;  ///< what its profile was made from has changed since (endpoint, key, prefixes, DNS)
  bool operator==(const Client&) const = default;

  /// A peer is in the kernel exactly while this holds (DESIGN §8).
  [[nodiscard]] bool has_access(UnixSeconds now) const { return !disabled && revoked_at == 0 && !serial.empty() && now <= not_after; }
};

struct AuditEntry {
  UnixSeconds at = 0;
  std::string who;   ///< "uid 0", "user alice"
  std::string what;  ///< "client revoke alice"
};

struct PoolUse {
  Prefix prefix;
  uint64_t size = 0;       ///< addresses that clients can take
  uint64_t allocated = 0;
  bool operator==(const PoolUse&) const = default;
};

/// SQLite, WAL, synchronous=FULL: when a call returns, its effect survives a power cut. Every change is one transaction
/// together with its audit entry. One thread; a second process that holds the file gets EBUSY; a damaged file EUCLEAN with
/// what to do (restore from the backup; the file is not touched).
class Registry {
 public:
  static Result<Registry> open(const std::string& path);
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;
  ~Registry();

  [[nodiscard]] Result<std::vector<Client>> clients() const;  ///< by name
  [[nodiscard]] Result<Client> client(const std::string& name) const;  ///< ENOENT
  [[nodiscard]] Result<std::vector<Certificate>> certificates() const;
  [[nodiscard]] Result<Certificate> certificate(const std::string& serial) const;  ///< a unique beginning will do; ENOENT, EINVAL when ambiguous

  /// Allocates number and addresses (lowest free; first two and an IPv4 broadcast excluded) and returns them, holding
  /// them in no way: `add_client` takes them. ENOSPC: "all 251 addresses of 172.16.201.0/24 are taken by 251 clients".
  [[nodiscard]] Result<Client> plan_client(const std::string& name, const std::vector<Prefix>& pools) const;
  /// EEXIST: name, WireGuard key or address taken (says by whom). The certificate goes in with it.
  Result<void> add_client(const Client& client, const Certificate& certificate, const std::string& who, UnixSeconds now);
  /// Groups, tunnel, description, disabled. Name, key and addresses are not changed here.
  Result<void> update_client(const Client& client, const std::string& who, UnixSeconds now);
  /// A new certificate for the same key (renew).
  Result<void> add_certificate(const Certificate& certificate, const std::string& who, UnixSeconds now);
  /// A new key: the old certificates are revoked as superseded.
  Result<void> rekey_client(const std::string& name, const Certificate& certificate, const std::string& who, UnixSeconds now);
  /// All its certificates.
  Result<void> revoke_client(const std::string& name, const std::string& reason, const std::string& who, UnixSeconds now);
  Result<void> revoke_certificate(const std::string& serial, const std::string& reason, const std::string& who, UnixSeconds now);
  /// Frees addresses; its certificates stay, revoked (cessationOfOperation), for the CRL.
  Result<void> remove_client(const std::string& name, const std::string& who, UnixSeconds now);

  [[nodiscard]] Result<std::vector<PoolUse>> pool_use(const std::vector<Prefix>& pools) const;
  [[nodiscard]] Result<std::vector<AuditEntry>> audit(size_t newest) const;
  /// Fingerprint of what profiles were last made from; clients made under another are `profile_outdated`.
  Result<void> set_profile_fingerprint(const std::string& fingerprint);
  /// The highest time ever seen, as a floor (DATAPLANE "Time"): returns max(now, floor) and stores it.
  Result<UnixSeconds> observe_time(UnixSeconds now);
  /// Monotonic number for CRLs.
  Result<uint64_t> next_crl_number();

  struct Impl;

 private:
  explicit Registry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::registry
