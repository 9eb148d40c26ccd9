// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: an open authority with its OpenSSL handles.

#include <utility>
#include <vector>

#include "gatewayd/pki/authority.h"
#include "gatewayd/pki/authority_files.h"
#include "gatewayd/pki/certificate.h"
#include "gatewayd/pki/openssl.h"

namespace gw::pki {

struct AuthorityView::Impl {
  AuthorityCertificates texts;
  Certificate root, issuing;
  std::vector<Certificate> earlier, issuers;
  StorePtr trusted;              ///< the root and the earlier ones
  std::vector<X509Ptr> between;  ///< what may stand between a root and a certificate
};

/// A certificate of an authority, and its key.
struct Signing {
  X509Ptr certificate;
  PrivateKey key;
  std::string sha256;  ///< of the certificate
};

struct Authority::Impl {
  AuthorityView view;
  std::vector<Signing> issuers;  ///< the present one first
};

/// Reads what the files hold. EUCLEAN as Authority::open; `directory` is for the words alone.
Result<Authority::Impl> assemble(const std::string& directory, const AuthorityFiles& files);

/// A new certificate authority's key and certificate: under `issuer`, or self-signed without one.
struct NewAuthority {
  std::string organisation, name;
  const Signing* issuer = nullptr;
  UnixSeconds now = 0;
};
Result<Signing> make_ca(const NewAuthority& wanted);

/// "gatewayd issuing CA 3" after "gatewayd issuing CA 2", of which the subject is given.
std::string next_name(const std::string& common_name);

}  // namespace gw::pki
