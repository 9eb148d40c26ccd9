// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/result.h"
#include "gatewayd/pki/pki.h"

/// Certificates of somebody else's authority: an organisation that has given its machines and people certificates, and
/// whose word about who they are is taken (RFC 5280). What they say is read by OpenSSL; nothing here decides what it is
/// worth. One thread.
namespace gw::pki {

/// One thing that a certificate says of its holder.
struct Claim {
  enum class Kind : uint8_t {
    dns,           ///< dNSName
    email,         ///< rfc822Name
    upn,           ///< otherName 1.3.6.1.4.1.311.20.2.3: a user's name in a directory, "alice@contoso.example"
    uri,           ///< uniformResourceIdentifier
    common_name,   ///< CN of the subject
    organisation,  ///< O
    unit,          ///< OU
  };
  Kind kind = Kind::dns;
  std::string value;  ///< UTF-8 without control characters; as written
  bool operator==(const Claim&) const = default;
};

/// Whom a certificate that was verified is of.
struct Holder {
  Certificate certificate;
  std::vector<Claim> claims;  ///< alternative names first, each kind in the certificate's order
};

/// The authorities that an operator gives: roots are those that are signed by themselves, of which there is one at
/// least; the others (issuing ones) only help to find a way from a certificate to a root. In that order, as in
/// the file. EINVAL: no certificate, more than 16, one that is no authority or has a weak key, one twice, or no root.
struct Anchors {
  std::vector<Certificate> roots, issuing;
  [[nodiscard]] std::string pem() const;  ///< roots, then issuing
};
Result<Anchors> parse_anchors(const std::string& pems);

/// What somebody shows: hostile.
struct Shown {
  std::string certificate_pem;
  std::string chain_pem;  ///< more certificates, which may lead to a root
};

/// Revocation lists for `verify_foreign`; each signed by one of `anchors`. PEM, or one in DER. Returns them as PEM with
/// the first end (nextUpdate) of them. EINVAL: none, more than 16, larger than 1 MiB; EKEYREJECTED: of another
/// authority, or tampered with.
struct RevocationLists {
  std::string pem;
  UnixSeconds next_update = 0;  ///< 0: none tells
};
Result<RevocationLists> parse_crls(const std::string& text, const Anchors& anchors);

/// Revocation lists in PEM, or one in DER, as PEM; nothing of them is judged. EINVAL as parse_crls.
Result<std::string> crls_as_pem(const std::string& text);

/// Verifies `shown` as a TLS client's certificate under the roots of `anchors`: signatures (OpenSSL's security level 2:
/// no SHA-1, RSA from 2048 bits), dates by `now`, key usage and extended key usage of the whole chain, name
/// constraints, at most six certificates between it and the root. What is on a list of `crls_pem` is refused, an
/// authority of the chain too, where one of the chain or of `anchors` has signed the list: each list counts, be it late
/// or early, of some certificates only or of what has changed. None that is missing is asked for, so that nobody is
/// locked out by a list that does not name him. EINVAL: not a certificate; EKEYREJECTED, EKEYEXPIRED, EKEYREVOKED with
/// the reason in words, in which nothing is but printable text.
Result<Holder> verify_foreign(const Shown& shown, const Anchors& anchors, const std::string& crls_pem, UnixSeconds now);

}  // namespace gw::pki
