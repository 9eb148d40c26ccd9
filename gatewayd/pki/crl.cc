// SPDX-License-Identifier: Apache-2.0
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "gatewayd/base/base64.h"
#include "gatewayd/base/revocation.h"
#include "gatewayd/pki/authority_impl.h"
#include "gatewayd/pki/keys.h"

namespace gw::pki {
namespace {

constexpr const char* kMake = "make revocation list";

/// Hex digits alone, and at most the 20 bytes of RFC 5280 §4.1.2.2.
bool is_serial(const std::string& text) {
  return !text.empty() && text.size() <= 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool set_serial(X509_REVOKED* entry, const std::string& serial) {
  BIGNUM* raw = nullptr;
  const int digits = BN_hex2bn(&raw, serial.c_str());
  const BignumPtr number(raw);
  if (digits == 0) return false;
  const IntegerPtr integer(BN_to_ASN1_INTEGER(number.get(), nullptr));
  return integer && X509_REVOKED_set_serialNumber(entry, integer.get()) == 1;
}

/// "unspecified" is left out, as RFC 5280 §5.3.1 wants it.
bool set_reason(X509_REVOKED* entry, int reason) {
  if (reason == 0) return true;
  const EnumeratedPtr value(ASN1_ENUMERATED_new());
  return value && ASN1_ENUMERATED_set(value.get(), reason) == 1 &&
         X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

Result<void> add_entry(X509_CRL* crl, const RevokedCertificate& revoked, const ErrorQueue& errors) {
  const auto reason = revocation_reason(revoked.reason.empty() ? "unspecified" : revoked.reason);
  if (!is_serial(revoked.serial)) return failure(EINVAL, kMake, revoked.serial, "that is no serial number in hex");
  if (!reason)
    return failure(EINVAL, kMake, revoked.serial, "'" + revoked.reason + "' is none of " + revocation_reasons());
  RevokedPtr entry(X509_REVOKED_new());
  const TimePtr at(ASN1_TIME_set(nullptr, revoked.at));
  if (!entry || !at || !set_serial(entry.get(), revoked.serial) ||
      X509_REVOKED_set_revocationDate(entry.get(), at.get()) != 1 || !set_reason(entry.get(), *reason) ||
      X509_CRL_add0_revoked(crl, entry.get()) != 1) {
    return errors.failure(EIO, kMake, revoked.serial);
  }
  std::ignore = entry.release();  // now the list's
  return {};
}

bool set_facts(X509_CRL* crl, X509* issuing, uint64_t number, UnixSeconds now, UnixSeconds next_update) {
  const TimePtr from(ASN1_TIME_set(nullptr, now));
  const TimePtr to(ASN1_TIME_set(nullptr, next_update));
  const IntegerPtr crl_number(ASN1_INTEGER_new());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuing, nullptr, nullptr, crl, 0);
  const ExtensionPtr key_id(X509V3_EXT_nconf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  return from && to && crl_number && key_id && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
         X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuing)) == 1 &&
         X509_CRL_set1_lastUpdate(crl, from.get()) == 1 && X509_CRL_set1_nextUpdate(crl, to.get()) == 1 &&
         X509_CRL_add_ext(crl, key_id.get(), -1) == 1 && ASN1_INTEGER_set_uint64(crl_number.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(crl, NID_crl_number, crl_number.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

}  // namespace

std::string crl_pem(const std::string& der) {
  constexpr size_t kLine = 64;
  const std::string encoded = base64(der);
  std::string out = "-----BEGIN X509 CRL-----\n";
  for (size_t at = 0; at < encoded.size(); at += kLine) out += encoded.substr(at, kLine) + "\n";
  return out + "-----END X509 CRL-----\n";
}

Result<std::string> Authority::make_crl(const std::vector<RevokedCertificate>& revoked, uint64_t number,
                                        UnixSeconds now, UnixSeconds next_update, const std::string& issuer) const {
  const ErrorQueue errors;
  const auto by = issuer.empty()
                      ? impl_->issuers.begin()
                      : std::ranges::find(impl_->issuers, issuer, [](const Signing& one) { return one.sha256; });
  if (by == impl_->issuers.end()) return failure(ENOENT, kMake, issuer, "there is no such issuer, or its key is gone");
  if (next_update <= now) return failure(EINVAL, kMake, {}, "its next update would not be after now");
  const CrlPtr crl(X509_CRL_new());
  if (!crl || !set_facts(crl.get(), by->certificate.get(), number, now, next_update)) return errors.failure(EIO, kMake);
  for (const RevokedCertificate& one : revoked) {
    if (auto added = add_entry(crl.get(), one, errors); !added) return std::unexpected(added.error());
  }
  if (X509_CRL_sort(crl.get()) != 1 || X509_CRL_sign(crl.get(), by->key.impl().key.get(), EVP_sha256()) <= 0) {
    return errors.failure(EIO, kMake);
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(crl.get(), &der);
  const BufferPtr owner(der);
  if (size <= 0) return errors.failure(EIO, kMake);
  return std::string(der, der + size);
}

}  // namespace gw::pki
