// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gatewayd/pki/pki.h"

/// The authority of one gateway: a root and an issuing intermediate (DESIGN §8), and those before them that
/// certificates in the field still need. The public half and the half with the keys are two things:
/// docs/adr/0010-signer.md.
namespace gw::pki {

/// All that is public of an authority, in PEM.
struct AuthorityCertificates {
  std::string root;
  std::string issuing;
  /// Each root's key signed by the root before it, newest first: who trusts an earlier one comes to the present root
  /// over these (RFC 4210 §4.4, "newWithOld").
  std::vector<std::string> cross;
  std::vector<std::string> earlier;  ///< issuing certificates and roots that were replaced, newest first
  bool has_root_key = false;         ///< it is on this machine, where only a rotation needs it
  std::string request;               ///< PKCS#10 whose certificate is waited for (`import`); empty: none
  bool operator==(const AuthorityCertificates&) const = default;
};

/// The public half: what the gateway shows, and judges certificates by. Cheap to copy.
class AuthorityView {
 public:
  /// EUCLEAN: one of them is damaged, or they do not belong together; the detail says which.
  static Result<AuthorityView> of(const AuthorityCertificates& certificates);

  [[nodiscard]] const AuthorityCertificates& certificates() const;
  [[nodiscard]] const Certificate& root() const;
  [[nodiscard]] const Certificate& issuing() const;
  [[nodiscard]] const std::vector<Certificate>& earlier() const;
  /// Present and earlier certificates that devices' certificates may have been issued by, the present one first.
  [[nodiscard]] const std::vector<Certificate>& issuers() const;
  [[nodiscard]] std::string chain_pem() const;         ///< issuing, then root
  [[nodiscard]] std::string server_chain_pem() const;  ///< issuing, cross, root: for who knows an earlier root alone
  [[nodiscard]] std::string all_pem() const;           ///< the server's chain, then the earlier ones (RFC 7030 §4.1.3)
  /// Chain, dates and purpose, not revocation: that is the registry's. EINVAL: no certificate; EKEYREJECTED: of another
  /// CA, tampered with or for another purpose; EKEYEXPIRED: ended or not yet valid. The detail says which.
  [[nodiscard]] Result<void> verify(const std::string& certificate_pem, UnixSeconds now) const;

  struct Impl;

 private:
  explicit AuthorityView(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// What `Authority::rotate` makes anew.
enum class Rotation {
  issuing,  ///< the intermediate alone; nobody in the field notices
  root,     ///< both, and a cross certificate
};

/// The half with the keys, under one directory: root.crt, root.key, issuing.crt, issuing.key, and as they come about
/// cross.crt, earlier.crt, earlier.key (for the revocation lists of earlier issuers), request.key, request.csr. Keys
/// are 0600. Every change is made aside and put in place at once: a crash leaves the old or the new, whole.
class Authority {
 public:
  /// Opens it, or makes root (20 years) and intermediate (10 years) on first start. `name` is the gateway's, in the
  /// subjects; at most 64 characters. Keys that others could read are set to 0600. root.key may be kept elsewhere;
  /// nothing else may be missing. EUCLEAN: files are missing, damaged or do not fit each other; the detail says which
  /// to restore, and nothing is changed. EINPROGRESS: there is none, and a request waits for its certificate.
  static Result<Authority> open(const std::string& directory, const std::string& name, UnixSeconds now);
  /// Opens what is there. ENOENT: there is none; EINPROGRESS as `open`.
  static Result<Authority> load(const std::string& directory);
  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

  /// New certificates; the present ones become earlier ones, of which those that have ended are forgotten. Certificates
  /// issued under them stay good. ENOKEY: root.key is needed and not there.
  static Result<Authority> rotate(const std::string& directory, const std::string& name, Rotation what,
                                  UnixSeconds now);
  /// A key for the next intermediate, and the PKCS#10 for it in PEM: for a root that is kept elsewhere. Asked again it
  /// returns the same one until `import`.
  static Result<std::string> request(const std::string& directory, const std::string& name);
  /// Puts what came back for the request in force: `pems` holds the intermediate's certificate and, where it is not
  /// the present one, its root; a cross certificate too where there is one. An earlier root's key that is on this
  /// machine signs the cross certificate itself. EINVAL: not what was asked for, the detail says why; ENOENT: nothing
  /// was asked for; EKEYREJECTED: clients in the field would not believe the new root (`cut_off`: all the same).
  static Result<Authority> import(const std::string& directory, const std::string& pems, bool cut_off, UnixSeconds now);

  [[nodiscard]] const AuthorityView& view() const;
  [[nodiscard]] const Certificate& root() const { return view().root(); }
  [[nodiscard]] const Certificate& issuing() const { return view().issuing(); }
  [[nodiscard]] std::string chain_pem() const { return view().chain_pem(); }
  [[nodiscard]] Result<void> verify(const std::string& certificate_pem, UnixSeconds now) const {
    return view().verify(certificate_pem, now);
  }

  /// Profile of DESIGN §8: 128-bit random serial, CA:FALSE, digitalSignature, clientAuth, SAN urn:uuid and DNS name,
  /// notBefore now - 300. EINVAL: name, UUID or key will not do, or `not_after` is past or after the end of the issuing
  /// certificate; EKEYEXPIRED: the issuing certificate itself is not valid now.
  Result<Certificate> issue(const Request& request, const std::string& name, const std::string& device_uuid,
                            UnixSeconds now, UnixSeconds not_after) const;
  /// For a server of this gateway's own: serverAuth, `names` (host names, or addresses) as its subject alternative
  /// names, the first as its common name. EINVAL: there is none, or one is neither; EKEYEXPIRED as `issue`.
  Result<Certificate> issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                   UnixSeconds now, UnixSeconds not_after) const;
  /// CRL (RFC 5280), DER, of the issuer with that fingerprint; empty: the present one. EINVAL names a serial or reason
  /// that is none; ENOENT: there is no such issuer.
  [[nodiscard]] Result<std::string> make_crl(const std::vector<RevokedCertificate>& revoked, uint64_t number,
                                             UnixSeconds now, UnixSeconds next_update,
                                             const std::string& issuer = {}) const;

  struct Impl;

 private:
  explicit Authority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Files of an authority's directory by name, keys among them.
using NamedFiles = std::map<std::string, std::string>;

/// For a backup. Empty: there is no authority. The caller wipes it.
Result<NamedFiles> export_authority(const std::string& directory);
/// Keeps such files aside, for `adopt_authority`; none: forgets those that are. EINVAL: they do not make an authority.
Result<void> stage_authority(const std::string& directory, const NamedFiles& named);
/// Puts what is kept aside in place; what was there is kept as DIRECTORY.before-restore. Nothing kept: nothing happens.
Result<void> adopt_authority(const std::string& directory);

}  // namespace gw::pki
