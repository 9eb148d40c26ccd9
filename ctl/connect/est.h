// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/connect/http.h"
#include "ctl/connect/profile.h"
#include "gatewayd/pki/pki.h"

/// The questions of enrolment (EST, RFC 7030, and the proof of the WireGuard key) over one connection to
/// gatewayd-enroll. Errors of Https::ask; beside those, what the gateway refuses with, in its own words:
///   EACCES        the token, or the certificate that was shown, is not accepted
///   EINVAL        it does not take the request; the detail tells the gateway's reason
///   EAGAIN        not now: too many ask, or it is busy
///   EBADMSG       an answer that is none
namespace gw::connect {

/// Asks for a certificate with a token: `name` is the wanted client name, and may be refused or replaced. PEM.
Result<std::string> enrol(Https& gateway, const std::string& token, const std::string& name,
                          const pki::PrivateKey& identity, const pki::WireGuardKeys& keys);

/// The same with an organisation's certificate, which the connection shows.
Result<std::string> enrol_by_certificate(Https& gateway, const std::string& name, const pki::PrivateKey& identity,
                                         const pki::WireGuardKeys& keys);

/// Asks for a new certificate for a key that may be a new one; the connection shows the present certificate, and
/// `present` proves the key in that. PEM.
Result<std::string> reenrol(Https& gateway, const std::string& name, const pki::PrivateKey& identity,
                            const pki::WireGuardKeys& keys, const SecretKey& present);

/// The connection shows the certificate.
Result<Profile> fetch_profile(Https& gateway);

/// The authorities that the gateway and its clients trust from now on.
Result<Authorities> fetch_authorities(Https& gateway);

}  // namespace gw::connect
