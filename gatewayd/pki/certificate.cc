// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/certificate.h"

#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string_view>

#include "gatewayd/pki/extensions.h"

namespace gw::pki {
namespace {

constexpr const char* kRead = "read certificate";

std::string hex(const unsigned char* bytes, size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 0xfU];
  }
  return out;
}

Result<std::string> serial_of(const X509* certificate) {
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (!number || BN_is_negative(number.get()) != 0)
    return failure(EINVAL, kRead, {}, "its serial number is below zero");
  std::vector<unsigned char> bytes(std::max<size_t>(1, static_cast<size_t>(BN_num_bytes(number.get()))));
  BN_bn2bin(number.get(), bytes.data());
  return hex(bytes.data(), bytes.size());
}

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return text_of(bio.get());
}

/// The UUID of the first "urn:uuid:" among the alternative names; empty when there is none.
std::string device_uuid_of(const X509* certificate) {
  constexpr std::string_view kUrn = "urn:uuid:";
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                                static_cast<size_t>(ASN1_STRING_length(uri)));
    if (text.starts_with(kUrn) && is_uuid(text.substr(kUrn.size()))) return std::string(text.substr(kUrn.size()));
  }
  return {};
}

/// `name` is the subject's common name, or why it has none that could be a client's.
Result<Certificate> describe(X509* certificate, const Result<std::string>& name);

}  // namespace

Result<UnixSeconds> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return failure(EINVAL, kRead, {}, "it holds a date that is none");
  return timegm(&parts);
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return text.size() == kShape.size() && std::ranges::equal(text, kShape, [](char c, char shape) {
           return shape == '-' ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string date_of(UnixSeconds at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text.data(), size};
}

std::string pem_of(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_X509(bio.get(), certificate) == 1 ? text_of(bio.get()) : std::string();
}

Result<X509Ptr> read_certificate(const std::string& pem) {
  const ErrorQueue errors;
  if (pem.size() > kMaxPemSize) return failure(EINVAL, kRead, {}, "it is longer than 16 KiB");
  const BioPtr bio = reader(pem);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) return errors.failure(EINVAL, kRead, {}, "not a certificate in PEM");
  const X509Ptr second(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (second) return failure(EINVAL, kRead, {}, "there are several; give one");
  return certificate;
}

std::vector<X509Ptr> read_certificates(const std::string& pems, size_t most) {
  const ErrorQueue errors;
  const BioPtr bio = reader(pems);
  std::vector<X509Ptr> out;
  while (out.size() < most) {
    X509Ptr one(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    if (!one) break;
    out.push_back(std::move(one));
  }
  return out;
}

Result<Certificate> describe(X509* certificate) {
  return describe(certificate, common_name(X509_get_subject_name(certificate)));
}

Result<Certificate> describe_foreign(X509* certificate) { return describe(certificate, std::string()); }

namespace {

Result<Certificate> describe(X509* certificate, const Result<std::string>& name) {
  const ErrorQueue errors;
  const auto serial = serial_of(certificate);
  const auto wireguard = wireguard_key_in(X509_get0_extensions(certificate));
  const auto not_before = seconds_of(X509_get0_notBefore(certificate));
  const auto not_after = seconds_of(X509_get0_notAfter(certificate));
  for (const Error* error :
       {serial ? nullptr : &serial.error(), name ? nullptr : &name.error(), wireguard ? nullptr : &wireguard.error(),
        not_before ? nullptr : &not_before.error(), not_after ? nullptr : &not_after.error()}) {
    if (error != nullptr) return failure(EINVAL, kRead, {}, error->detail);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_size = 0;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &digest_size) != 1 ||
      PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return errors.failure(EIO, kRead);
  }
  return Certificate{.pem = text_of(bio.get()),
                     .serial = *serial,
                     .subject = name_text(X509_get_subject_name(certificate)),
                     .name = *name,
                     .issuer = name_text(X509_get_issuer_name(certificate)),
                     .device_uuid = device_uuid_of(certificate),
                     .wireguard = *wireguard,
                     .not_before = *not_before,
                     .not_after = *not_after,
                     .sha256 = hex(digest.data(), digest_size),
                     .is_ca = X509_check_ca(certificate) == 1};
}

}  // namespace

Result<Certificate> parse_certificate(const std::string& pem) {
  auto certificate = read_certificate(pem);
  if (!certificate) return std::unexpected(certificate.error());
  return describe(certificate->get());
}

Result<Request> renewal_request(const std::string& certificate_pem) {
  const ErrorQueue errors;
  const auto certificate = read_certificate(certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  const auto facts = describe(certificate->get());
  if (!facts) return std::unexpected(facts.error());
  if (!facts->wireguard) return failure(EINVAL, "renew certificate", facts->serial, "it holds no WireGuard key");
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), X509_get0_pubkey(certificate->get())) != 1) {
    return errors.failure(EINVAL, "renew certificate", facts->serial, "its public key is of no known kind");
  }
  return Request{facts->name, *facts->wireguard, text_of(bio.get())};
}

}  // namespace gw::pki
