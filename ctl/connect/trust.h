// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

/// Whom an endpoint believes: a root certificate known by the fingerprint in the join link, and what it has signed.
namespace gw::connect {

/// What the other side of a TLS connection has to prove. One of `fingerprint` and `roots_pem` is given.
struct Trust {
  std::string host;         ///< name or address that its certificate has to be for
  std::string fingerprint;  ///< of a root that the presented chain has to hold: SHA-256 of its DER, hex
  std::string roots_pem;    ///< the trust anchors
  UnixSeconds now = 0;
};

/// The authorities of a chain that was believed.
struct Authorities {
  std::string roots_pem;
  std::string issuing_pem;  ///< what stands between a root and a certificate; may be empty
};

/// Verifies the chain of a server, leaf first, for serverAuth and the name. EKEYREJECTED: another CA, another name,
/// another purpose; EKEYEXPIRED: ended or not yet valid by `now`, and the detail says that the clock may be to blame.
Result<Authorities> verify_server(const std::vector<pki::X509Ptr>& chain, const Trust& trust);

/// Verifies a certificate that was issued to this machine: for these keys, for clientAuth, under these authorities.
/// EKEYREJECTED and EKEYEXPIRED as above. Returns its facts.
Result<pki::Certificate> verify_own(const std::string& certificate_pem, const Authorities& authorities,
                                    const pki::PrivateKey& identity, const PublicKey& wireguard, UnixSeconds now);

/// Sorts certificates (PEM) that a gateway calls its authorities: self-signed ones are roots, the others issue.
/// Hostile. EBADMSG when one of them is no authority, or there is no root.
Result<Authorities> as_authorities(const std::string& pems);

}  // namespace gw::connect
