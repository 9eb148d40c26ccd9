// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: certificates with their OpenSSL handles.

#include <cstdint>
#include <string>
#include <vector>

#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {

/// The one certificate of a PEM text. EINVAL: none, several, or longer than 16 KiB.
Result<X509Ptr> read_certificate(const std::string& pem);

/// The certificates of a PEM text, in order; what stands behind the first `most` is not looked at, nor what stands
/// behind one that is damaged.
std::vector<X509Ptr> read_certificates(const std::string& pems, size_t most = SIZE_MAX);

/// The facts of a certificate. EINVAL: a damaged extension, a serial number below zero, dates that are none.
Result<Certificate> describe(X509* certificate);

/// The same of a certificate that is not of this project: its subject may hold several common names, as a directory's
/// do, or none; `name` stays empty.
Result<Certificate> describe_foreign(X509* certificate);

/// EINVAL: a date that is none.
Result<UnixSeconds> seconds_of(const ASN1_TIME* time);

/// What differs between the certificates made here; null `issuer` and `issuer_key` stand for a self-signed one.
struct CertificateTemplate {
  const X509_NAME* subject = nullptr;
  EVP_PKEY* public_key = nullptr;
  X509* issuer = nullptr;
  EVP_PKEY* issuer_key = nullptr;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  std::vector<std::pair<int, std::string>> extensions;  ///< NID and value as in x509v3_config(5); trusted text
  std::optional<PublicKey> wireguard;
};

/// Signs a version 3 certificate with a random serial number of 16 bytes (RFC 5280 §4.1.2.2).
Result<X509Ptr> build_certificate(const CertificateTemplate& what);

/// A name of "O=organisation, CN=name"; either may be empty and is left out. EINVAL: longer than 64 characters, or not
/// UTF-8.
Result<NamePtr> make_name(const std::string& organisation, const std::string& name);

/// "2026-11-23 10:00:00 UTC".
std::string date_of(UnixSeconds at);

/// The certificate in PEM; empty when OpenSSL fails.
std::string pem_of(X509* certificate);

/// The backdating of every certificate: devices' clocks may be behind by as much.
inline constexpr UnixSeconds kBackdate = 300;

}  // namespace gw::pki
