// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

/// OpenSSL behind values: DESIGN §8. PEM in, PEM out. Private keys live in PrivateKey, which zeroes itself.
/// Split over pki/*.cc by concern; OpenSSL headers appear in .cc files only. One thread.
namespace gw::pki {

/// Object identifier of the certificate extension that carries the WireGuard public key: made of a UUID, in small arcs
/// (docs/adr/0003). 32 raw bytes in an OCTET STRING.
extern const char* const kWireGuardKeyOid;

/// A P-256 private key.
class PrivateKey {
 public:
  static Result<PrivateKey> generate();
  static Result<PrivateKey> parse(const std::string& pem);
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();
  /// PKCS#8 PEM, unencrypted. The caller keeps it 0600 and zeroes it (`wipe`).
  [[nodiscard]] std::string reveal_pem() const;
  struct Impl;
  [[nodiscard]] Impl& impl() const { return *impl_; }

 private:
  explicit PrivateKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Zeroes a string that held a secret.
void wipe(std::string& secret);

/// A WireGuard key pair (RFC 7748 clamping).
struct WireGuardKeys {
  SecretKey secret;
  PublicKey public_key;
};
Result<WireGuardKeys> generate_wireguard_keys();
PublicKey public_of(const SecretKey& secret);  ///< all zero, a low-order point, if OpenSSL fails

/// PKCS#10 (RFC 2986) with common name `name` and the WireGuard key in an extensionRequest.
Result<std::string> make_request(const PrivateKey& key, const std::string& name, const PublicKey& wireguard);

/// PKCS#10 that asks for nothing by name: for a server, whose names the authority knows.
Result<std::string> make_server_request(const PrivateKey& key);

/// What a request asks for. Parsed from outside bytes: hostile.
struct Request {
  std::string name;  ///< common name, free of control characters; may be empty
  PublicKey wireguard;
  std::string public_key_pem;
  bool operator==(const Request&) const = default;
};
/// EINVAL with the reason: not PEM, too big (16 KiB), bad signature, not P-256, no WireGuard key, a low-order one,
/// other extensions.
Result<Request> parse_request(const std::string& pem);

/// The public key, PEM, of a request for a server's certificate; its names are not looked at. EINVAL as
/// `parse_request`.
Result<std::string> parse_server_request(const std::string& pem);

/// Of the key of a request, SHA-256 of its SubjectPublicKeyInfo in base64 (RFC 7469 §2.4): what curl's --pinnedpubkey
/// takes behind "sha256//". EINVAL: it is no public key in PEM.
Result<std::string> pin_of(const std::string& public_key_pem);

/// A certificate as facts.
struct Certificate {
  std::string pem;
  std::string serial;   ///< lower-case hex without separators
  std::string subject;  ///< RFC 2253
  std::string name;     ///< common name
  std::string issuer;
  std::string device_uuid;  ///< from SAN urn:uuid:
  std::optional<PublicKey> wireguard;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;  ///< valid to the end of this second (RFC 5280 §4.1.2.5)
  std::string sha256;         ///< fingerprint of the DER, hex
  bool is_ca = false;
};
/// Hostile bytes again. EINVAL with the reason: not one certificate in PEM, too big (16 KiB), damaged extension or
/// dates.
Result<Certificate> parse_certificate(const std::string& pem);

/// What a renewal of a certificate of ours asks for: its name and both of its keys, as `issue` takes them. EINVAL as
/// `parse_certificate`, or when it holds no WireGuard key.
Result<Request> renewal_request(const std::string& certificate_pem);

/// One line of a CRL.
struct RevokedCertificate {
  std::string serial;  ///< hex
  UnixSeconds at = 0;
  std::string reason;  ///< as gatewayd/base/revocation.h names it; empty is "unspecified"
};

/// A revocation list, DER, as PEM (RFC 7468 §6).
std::string crl_pem(const std::string& der);

/// Certificate, its authorities and its key in one file (RFC 7292), as programs import them; AES-256 and PBKDF2. DER,
/// holds the key: `wipe` it. EINVAL: a part is not what it should be, or there is no passphrase.
Result<std::string> make_pkcs12(const std::string& key_pem, const std::string& certificate_pem,
                                const std::string& chain_pem, const std::string& name, const std::string& passphrase);

std::array<uint8_t, 32> sha256(std::string_view bytes);
std::string random_bytes(size_t count);         ///< of the kernel; at most 256
std::string random_uuid();                      ///< RFC 9562 version 4
std::string named_uuid(std::string_view name);  ///< version 8: SHA-256 of `name`, the same for ever
bool is_uuid(std::string_view text);            ///< in lower case, with hyphens

}  // namespace gw::pki
