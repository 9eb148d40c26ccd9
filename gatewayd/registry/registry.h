// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
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
  std::vector<std::string> groups;   ///< sorted
  std::vector<IpAddress> addresses;  ///< at most one of each family
  std::optional<config::Tunnel> tunnel;
  std::string description;
  bool disabled = false;
  UnixSeconds created = 0;
  /// Of the newest certificate of the current key.
  std::string serial;
  UnixSeconds not_after = 0;
  UnixSeconds revoked_at = 0;     ///< of that certificate; 0: not revoked
  bool profile_outdated = false;  ///< what its profile was made from has changed since (endpoint, key, prefixes, DNS)
  bool operator==(const Client&) const = default;

  /// A peer is in the kernel exactly while this holds (DESIGN §8).
  [[nodiscard]] bool has_access(UnixSeconds now) const {
    return !disabled && revoked_at == 0 && !serial.empty() && now <= not_after;
  }
};

/// When a client's newest certificate ends.
struct CertificateEnd {
  std::string client;
  UnixSeconds not_before = 0, not_after = 0;
  bool operator==(const CertificateEnd&) const = default;
};

struct AuditEntry {
  UnixSeconds at = 0;
  std::string who;   ///< "uid 0", "user alice"
  std::string what;  ///< "client revoke alice"
};

struct PoolUse {
  Prefix prefix;
  uint64_t size = 0;  ///< addresses that clients can take
  uint64_t allocated = 0;
  bool operator==(const PoolUse&) const = default;
};

/// A prefix of the deny list (`gwctl block`): nothing from it reaches the gateway over the public interface.
struct Block {
  Prefix prefix;
  UnixSeconds until = 0;  ///< first second in which it no longer holds; 0: no end
  std::string comment;
  std::string who;  ///< put it there
  UnixSeconds created = 0;
  bool operator==(const Block&) const = default;
  [[nodiscard]] bool holds(UnixSeconds now) const { return until == 0 || now < until; }
};

/// A one-time invitation (`gwctl token`). The secret itself is not here: nobody has it but who it was given to.
struct Token {
  int64_t id = 0;                   ///< from 1, never given twice
  std::array<uint8_t, 32> hash{};   ///< SHA-256 of the secret
  std::string name;                 ///< of the client that it makes; empty: the device chooses
  std::vector<std::string> groups;  ///< sorted
  std::optional<config::Tunnel> tunnel;
  std::string description;
  uint32_t days = 30;  ///< of the certificate
  uint32_t uses = 1;   ///< how many devices it is for
  uint32_t used = 0;
  UnixSeconds expires = 0;     ///< first second in which it no longer holds
  UnixSeconds revoked_at = 0;  ///< 0: not revoked
  UnixSeconds created = 0;
  std::string who;                   ///< made it
  std::vector<std::string> clients;  ///< names, of those that it made; not of removed ones
  bool operator==(const Token&) const = default;
};

/// Groups for whoever has a certificate that says what `pattern` asks for (control/trust_map.h).
struct TrustMap {
  std::string pattern;
  std::vector<std::string> groups;  ///< sorted
  bool operator==(const TrustMap&) const = default;
};

/// An organisation's own authority, whose certificates let their holders enrol (`gwctl ca trust`).
struct Trust {
  int64_t id = 0;  ///< from 1, never given twice
  std::string name;
  std::string authorities_pem;  ///< its roots, and perhaps what stands below them
  std::string crl_pem;          ///< its revocation lists; empty: none was given
  std::vector<TrustMap> maps;   ///< in the order in which they were given
  UnixSeconds created = 0;
  std::string who;  ///< put it there
  bool operator==(const Trust&) const = default;
};

/// A client that came by an organisation's certificate.
struct TrustedClient {
  std::string client;    ///< its name
  std::string identity;  ///< whose certificate it was, as control/trust_map.h tells
  std::vector<std::string>
      granted;  ///< groups that it has by the maps, as far as nobody has changed them since; sorted
  bool operator==(const TrustedClient&) const = default;
};

/// What a restored registry cannot know of the time since its backup.
struct Present {
  bool disable_clients = true;  ///< who was revoked since is not in the backup
  uint64_t crl_number = 0;      ///< revocation lists that are known to have been made; far more may have been
  UnixSeconds time_floor = 0;
  /// Issued by the same authority: none of them comes back to life. Those that the backup does not have are revoked.
  std::vector<Certificate> certificates;
  /// The trusts of this gateway, where the backup is of itself: a trust that is not among them was removed since, and
  /// goes; others have the authorities, lists and maps that they have here, since those may have been taken away
  /// too. None: nothing is known. With `disable_clients` none has maps, so that it lets nobody in.
  std::optional<std::vector<Trust>> trusts;
};

/// The gateway keeps the first two addresses of a pool, after the network's own (DESIGN §2): clients start at this one.
inline constexpr uint64_t kFirstClientAddress = 3;

/// SQLite, WAL, synchronous=FULL: when a call returns, its effect survives a power cut. Every change of clients and
/// certificates is one transaction together with its audit entry. One thread; one process: another that opens the file
/// gets EBUSY. EUCLEAN from any call: the file is damaged, the detail says what to do.
class Registry {
 public:
  /// Makes the file, 0600, when there is none (its directory must exist). EBUSY: another process has it open. EUCLEAN:
  /// damaged, or not a registry; the file is not touched. ENOTSUP: a newer gatewayd changed it in a way that this one
  /// does not understand (schema.h). An older file is taken to the newest schema; it stays beside as PATH.schema-N.
  static Result<Registry> open(const std::string& path);
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;
  ~Registry();

  [[nodiscard]] Result<std::vector<Client>> clients() const;            ///< by name
  [[nodiscard]] Result<Client> client(const std::string& name) const;   ///< ENOENT
  [[nodiscard]] Result<std::vector<Certificate>> certificates() const;  ///< in order of issue
  /// By serial number or a beginning of it that only one has, or by the whole SHA-256 fingerprint; case and colons do
  /// not matter. ENOENT; EINVAL: several begin so, or not hex.
  [[nodiscard]] Result<Certificate> certificate(const std::string& serial) const;

  /// The smallest free number and the lowest free address of each pool, in time that does not grow with the clients.
  /// Holds nothing: `add_client` takes them. EINVAL: the name is no label; EEXIST: it is taken; ENOSPC: "all 252
  /// addresses of 172.16.201.0/24 are taken by 252 clients".
  [[nodiscard]] Result<Client> plan_client(const std::string& name, const std::vector<Prefix>& pools) const;
  /// Client and certificate together. EEXIST: name, number, device, WireGuard key, address or serial is taken (says by
  /// whom); EKEYREVOKED: the WireGuard key was revoked as compromised once; EINVAL: malformed, or the two do not belong
  /// together.
  Result<void> add_client(const Client& client, const Certificate& certificate, const std::string& who,
                          UnixSeconds now);
  /// The same, and a use of the token with it, or neither. EACCES: the token holds no more.
  Result<void> redeem_token(int64_t token, const Client& client, const Certificate& certificate, const std::string& who,
                            UnixSeconds now);
  /// Groups, tunnel, description, disabled. Name, key and addresses are not changed here. A change of the tunnel makes
  /// the profile outdated.
  Result<void> update_client(const Client& client, const std::string& who, UnixSeconds now);
  /// A new certificate for the same key (renew). EKEYREVOKED: the newest one is revoked, which only a new key ends.
  Result<void> add_certificate(const Certificate& certificate, const std::string& who, UnixSeconds now);
  /// A new key: the old certificates are revoked as superseded. EINVAL when it is the old key.
  Result<void> rekey_client(const std::string& name, const Certificate& certificate, const std::string& who,
                            UnixSeconds now);
  /// All its certificates. Done again it changes nothing but a reason that becomes keyCompromise. EINVAL: not a reason
  /// of base/revocation.h.
  Result<void> revoke_client(const std::string& name, const std::string& reason, const std::string& who,
                             UnixSeconds now);
  /// `serial` as in `certificate`.
  Result<void> revoke_certificate(const std::string& serial, const std::string& reason, const std::string& who,
                                  UnixSeconds now);
  /// Of clients that have access at `from`, those whose certificate ends by `to`; the first end first.
  [[nodiscard]] Result<std::vector<CertificateEnd>> certificate_ends(UnixSeconds from, UnixSeconds to) const;
  /// Changes with every revocation, and with nothing else.
  [[nodiscard]] Result<std::string> revocation_state() const;
  /// Frees addresses; its certificates stay, revoked (cessationOfOperation), for the CRL.
  Result<void> remove_client(const std::string& name, const std::string& who, UnixSeconds now);

  [[nodiscard]] Result<std::vector<Block>> blocks() const;  ///< by prefix; those that have ended among them
  /// Adds it, or gives the one of that prefix another end and comment.
  Result<void> put_block(const Block& block, UnixSeconds now);
  Result<void> remove_block(const Prefix& prefix, const std::string& who, UnixSeconds now);  ///< ENOENT
  /// Those that have ended vanish.
  Result<void> remove_ended_blocks(UnixSeconds now);

  /// Returns its id; `id`, `used`, `revoked_at` and `clients` of `token` are not looked at.
  Result<int64_t> add_token(const Token& token, UnixSeconds now);
  [[nodiscard]] Result<std::vector<Token>> tokens() const;  ///< newest first; those that no longer hold among them
  /// Whoever asks may be anybody: in time that tells nothing of the tokens there are. ENOENT.
  [[nodiscard]] Result<Token> token(const std::array<uint8_t, 32>& hash) const;
  /// The certificate that the token made for this WireGuard key: for who did not get the answer. ENOENT.
  [[nodiscard]] Result<Certificate> token_certificate(int64_t token, const PublicKey& wireguard) const;
  Result<void> revoke_token(int64_t id, const std::string& who, UnixSeconds now);  ///< ENOENT
  /// Those that have not held since `before` vanish.
  Result<void> remove_ended_tokens(UnixSeconds before);
  /// Of the enrolment server's key: SHA-256 of its public half, base64 (RFC 7469 §2.4); empty: there was none yet.
  [[nodiscard]] Result<std::string> front_key() const;
  Result<void> set_front_key(const std::string& pin);

  /// A new trust, or, with `replace`, the one of that name with other authorities and maps; its clients stay, and its
  /// revocation lists unless there are others. EEXIST: there is one of that name; ENOENT, with `replace`: there is
  /// none. `id` and `created` are not looked at.
  Result<void> put_trust(const Trust& trust, bool replace, UnixSeconds now);
  [[nodiscard]] Result<std::vector<Trust>> trusts() const;  ///< oldest first
  /// Names of the clients that came by it, without those that were removed since.
  [[nodiscard]] Result<std::vector<std::string>> trust_clients(int64_t trust) const;
  Result<void> set_trust_crl(const std::string& name, const std::string& crl_pem, const std::string& who,
                             UnixSeconds now);  ///< ENOENT
  /// Its clients stay, as any others. ENOENT.
  Result<void> remove_trust(const std::string& name, const std::string& who, UnixSeconds now);
  /// The client that this identity has by that trust. ENOENT.
  [[nodiscard]] Result<TrustedClient> trusted_client(int64_t trust, const std::string& identity) const;
  /// As `add_client`, and what the client came by, or neither. ENOENT: the trust is gone.
  Result<void> admit_by_trust(int64_t trust, const TrustedClient& came, const Client& client,
                              const Certificate& certificate, const std::string& who, UnixSeconds now);
  /// The maps grant `granted` to the client now: it gets what they did not grant before, and loses what they no longer
  /// do; what an operator gave or took stays so. ENOENT.
  Result<void> grant_by_trust(const std::string& client, const std::vector<std::string>& granted,
                              const std::string& who, UnixSeconds now);

  [[nodiscard]] Result<std::vector<PoolUse>> pool_use(const std::vector<Prefix>& pools) const;
  [[nodiscard]] Result<std::vector<AuditEntry>> audit(size_t newest) const;  ///< newest first
  /// Fingerprint of what profiles are made from now; clients whose profile was made under another are
  /// `profile_outdated`.
  Result<void> set_profile_fingerprint(const std::string& fingerprint);
  /// The client has been given a profile made from what holds now (export).
  Result<void> mark_profile_current(const std::string& name);
  /// A time that has been (DATAPLANE "Time"; control/time_keeper.h decides); 0 before the first.
  [[nodiscard]] UnixSeconds time_floor() const;
  /// Unless `at_once`, written when it rises by ten minutes or more, so that telling often costs no disk write. A time
  /// that is not later than the floor changes nothing.
  Result<void> raise_time_floor(UnixSeconds to, bool at_once);
  /// Also lowers it; the audit trail tells of it.
  Result<void> reset_time_floor(UnixSeconds to, const std::string& who);
  /// Monotonic number for CRLs, from 1.
  Result<uint64_t> next_crl_number();

  /// A consistent copy as a file of its own, 0600, synced; after a crash it may be incomplete. It opens as a registry.
  [[nodiscard]] Result<void> copy_to(const std::string& path) const;
  /// Makes what came out of a backup fit for the present; one transaction.
  Result<void> catch_up(const Present& present, const std::string& who, UnixSeconds now);

  struct Impl;

 private:
  explicit Registry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gw::registry
