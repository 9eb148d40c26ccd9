// SPDX-License-Identifier: Apache-2.0
#include <openssl/pem.h>

#include <cerrno>
#include <ctime>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/label.h"
#include "gatewayd/pki/authority_impl.h"
#include "gatewayd/pki/keys.h"

namespace gw::pki {
namespace {

constexpr const char* kIssue = "issue certificate";

Result<void> check_dates_of(const std::string& name, UnixSeconds now, UnixSeconds not_after,
                            const Certificate& issuing) {
  if (not_after <= now) return failure(EINVAL, kIssue, name, "it would have ended before it began");
  if (now > issuing.not_after || now < issuing.not_before) {
    return failure(
        EKEYEXPIRED, kIssue, name,
        "the issuing certificate is valid from " + date_of(issuing.not_before) + " to " + date_of(issuing.not_after));
  }
  if (not_after > issuing.not_after) {
    return failure(
        EINVAL, kIssue, name,
        "it would outlive the issuing certificate, which ends " + date_of(issuing.not_after) + "; ask for fewer days");
  }
  return {};
}

Result<void> check_issue(const Request& request, const std::string& name, const std::string& device_uuid,
                         UnixSeconds now, UnixSeconds not_after, const Certificate& issuing) {
  // Name and UUID become part of an extension's text: nothing may pass that could be read as another name.
  if (!is_label(name))
    return failure(EINVAL, kIssue, name, "the name is no host name of at most 63 of a-z, 0-9 and '-'");
  if (!is_uuid(device_uuid)) return failure(EINVAL, kIssue, name, "'" + device_uuid + "' is no UUID in lower case");
  if (request.wireguard.is_low_order())
    return failure(EINVAL, kIssue, name, "the WireGuard key is a point of low order");
  return check_dates_of(name, now, not_after, issuing);
}

/// "DNS:vpn.contoso.example,IP:5.5.5.1". The names become part of an extension's text, as above.
Result<std::string> server_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    const bool address = IpAddress::parse(name).has_value();
    if (!address && !is_host_name(name))
      return failure(EINVAL, kIssue, name, "it is neither a host name nor an address");
    out += (out.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  if (out.empty()) return failure(EINVAL, kIssue, {}, "the server has no name");
  return out;
}

Result<KeyPtr> read_public_key(const std::string& pem, const ErrorQueue& errors) {
  const BioPtr bio = reader(pem);
  KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return errors.failure(EINVAL, kIssue, {}, "the request's public key is not PEM");
  if (!is_p256(key.get())) return failure(EINVAL, kIssue, {}, "the request's public key is not P-256");
  return key;
}

/// What certificates of devices and of servers differ in.
struct Leaf {
  const X509_NAME* subject;
  EVP_PKEY* public_key;
  const char* usage;  ///< extended key usage
  std::string names;  ///< subject alternative names; trusted text
  UnixSeconds now;
  UnixSeconds not_after;
  std::optional<PublicKey> wireguard;
};

Result<Certificate> build_leaf(const Authority::Impl& authority, const Leaf& leaf) {
  const auto certificate = build_certificate({.subject = leaf.subject,
                                              .public_key = leaf.public_key,
                                              .issuer = authority.issuers.front().certificate.get(),
                                              .issuer_key = authority.issuers.front().key.impl().key.get(),
                                              .not_before = leaf.now - kBackdate,
                                              .not_after = leaf.not_after,
                                              .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                                             {NID_key_usage, "critical,digitalSignature"},
                                                             {NID_ext_key_usage, leaf.usage},
                                                             {NID_subject_key_identifier, "hash"},
                                                             {NID_authority_key_identifier, "keyid:always"},
                                                             {NID_subject_alt_name, leaf.names}},
                                              .wireguard = leaf.wireguard});
  if (!certificate) return std::unexpected(certificate.error());
  return describe(certificate->get());
}

}  // namespace

Result<Certificate> Authority::issue(const Request& request, const std::string& name, const std::string& device_uuid,
                                     UnixSeconds now, UnixSeconds not_after) const {
  const ErrorQueue errors;
  if (auto allowed = check_issue(request, name, device_uuid, now, not_after, issuing()); !allowed) {
    return std::unexpected(allowed.error());
  }
  const auto public_key = read_public_key(request.public_key_pem, errors);
  if (!public_key) return std::unexpected(public_key.error());
  const auto subject = make_name({}, name);
  if (!subject) return std::unexpected(subject.error());
  return build_leaf(*impl_, {.subject = subject->get(),
                             .public_key = public_key->get(),
                             .usage = "clientAuth",
                             .names = "URI:urn:uuid:" + device_uuid + ",DNS:" + name,
                             .now = now,
                             .not_after = not_after,
                             .wireguard = request.wireguard});
}

Result<Certificate> Authority::issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                            UnixSeconds now, UnixSeconds not_after) const {
  const ErrorQueue errors;
  const auto alternatives = server_names(names);
  if (!alternatives) return std::unexpected(alternatives.error());
  if (auto good = check_dates_of(names.front(), now, not_after, issuing()); !good) {
    return std::unexpected(good.error());
  }
  const auto public_key = read_public_key(public_key_pem, errors);
  if (!public_key) return std::unexpected(public_key.error());
  constexpr size_t kLongestCommonName = 64;  // RFC 5280 appendix A; the alternative names are what counts
  const auto subject = make_name({}, names.front().substr(0, kLongestCommonName));
  if (!subject) return std::unexpected(subject.error());
  return build_leaf(*impl_, {.subject = subject->get(),
                             .public_key = public_key->get(),
                             .usage = "serverAuth",
                             .names = *alternatives,
                             .now = now,
                             .not_after = not_after,
                             .wireguard = std::nullopt});
}

}  // namespace gw::pki
