// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "gatewayd/pki/certificate.h"
#include "gatewayd/pki/extensions.h"

namespace gw::pki {
namespace {

constexpr const char* kBuild = "make certificate";
constexpr int kSerialBytes = 16;

bool add_name_part(X509_NAME* name, int nid, const std::string& text) {
  return text.empty() ||
         X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

/// Drawn again until all 16 bytes count, so that every serial number has the same 32 digits.
bool set_random_serial(X509* certificate) {
  const BignumPtr number(BN_new());
  do {
    if (!number || BN_rand(number.get(), kSerialBytes * 8, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1) return false;
  } while (BN_num_bytes(number.get()) < kSerialBytes);
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

/// UTCTime to 2049, then GeneralizedTime (RFC 5280 §4.1.2.5): ASN1_TIME_set chooses.
bool set_dates(X509* certificate, UnixSeconds not_before, UnixSeconds not_after) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), not_before) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), not_after) != nullptr;
}

bool add_extensions(X509* certificate, const CertificateTemplate& what) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, what.issuer != nullptr ? what.issuer : certificate, certificate, nullptr, nullptr, 0);
  for (const auto& [nid, value] : what.extensions) {
    const ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  if (!what.wireguard) return true;
  const ExtensionPtr extension = wireguard_extension(*what.wireguard);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace

Result<NamePtr> make_name(const std::string& organisation, const std::string& name) {
  const ErrorQueue errors;
  NamePtr out(X509_NAME_new());
  // OpenSSL holds both parts to the 64 characters of RFC 5280 appendix A.
  if (!out || !add_name_part(out.get(), NID_organizationName, organisation) ||
      !add_name_part(out.get(), NID_commonName, name)) {
    return errors.failure(EINVAL, "make a certificate's name", organisation + " " + name,
                          "give at most 64 characters of UTF-8");
  }
  return out;
}

Result<X509Ptr> build_certificate(const CertificateTemplate& what) {
  const ErrorQueue errors;
  X509Ptr certificate(X509_new());
  const X509_NAME* issuer = what.issuer != nullptr ? X509_get_subject_name(what.issuer) : what.subject;
  const bool built =
      certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 && set_random_serial(certificate.get()) &&
      X509_set_subject_name(certificate.get(), what.subject) == 1 &&
      X509_set_issuer_name(certificate.get(), issuer) == 1 &&
      X509_set_pubkey(certificate.get(), what.public_key) == 1 &&
      set_dates(certificate.get(), what.not_before, what.not_after) && add_extensions(certificate.get(), what) &&
      X509_sign(certificate.get(), what.issuer_key, EVP_sha256()) > 0;
  if (!built) return errors.failure(EIO, kBuild);
  return certificate;
}

}  // namespace gw::pki
