// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/est.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include <cerrno>
#include <tuple>

#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {
namespace {

constexpr const char* kReadRequest = "read signing request";
constexpr const char* kWrap = "pack certificates";
constexpr const char* kUnwrap = "read certificates";
constexpr size_t kMostCertificateBytes = size_t{64} << 10U;

using AttributePtr = std::unique_ptr<X509_ATTRIBUTE, Release<X509_ATTRIBUTE_free>>;
using Pkcs7Ptr = std::unique_ptr<PKCS7, Release<PKCS7_free>>;

template <auto Encode, class T>
std::string der_of(T* what) {
  unsigned char* raw = nullptr;
  const int size = Encode(what, &raw);
  const BufferPtr owner(raw);
  return size > 0 ? std::string(raw, raw + size) : std::string();
}

/// An attribute with one object identifier as its value.
std::string attribute(int type, ASN1_OBJECT* value) {
  const AttributePtr out(X509_ATTRIBUTE_create(type, V_ASN1_OBJECT, value));
  return out ? der_of<i2d_X509_ATTRIBUTE>(out.get()) : std::string();
}

}  // namespace

Result<std::string> request_der(const std::string& pem) {
  const ErrorQueue errors;
  const BioPtr bio = reader(pem);
  const RequestPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr));
  if (!request) return errors.failure(EINVAL, kReadRequest, {}, "not a PKCS#10 request in PEM");
  return der_of<i2d_X509_REQ>(request.get());
}

Result<std::string> request_pem(std::string_view der) {
  const ErrorQueue errors;
  if (der.size() > kMaxPemSize) return failure(EINVAL, kReadRequest, {}, "it is longer than 16 KiB");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* const end = at + der.size();
  const RequestPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || at != end) return errors.failure(EINVAL, kReadRequest, {}, "not one PKCS#10 request in DER");
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) return errors.failure(EIO, kReadRequest);
  return text_of(bio.get());
}

Result<std::string> certs_only(const std::string& pems) {
  const ErrorQueue errors;
  const Pkcs7Ptr pack(PKCS7_new());
  if (!pack || PKCS7_set_type(pack.get(), NID_pkcs7_signed) != 1 ||
      PKCS7_content_new(pack.get(), NID_pkcs7_data) != 1 || PKCS7_set_detached(pack.get(), 1) != 1) {
    return errors.failure(EIO, kWrap);
  }
  const BioPtr bio = reader(pems);
  size_t count = 0;
  for (;; ++count) {
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    if (!certificate) break;
    if (PKCS7_add_certificate(pack.get(), certificate.get()) != 1) return errors.failure(EIO, kWrap);
  }
  if (count == 0) return errors.failure(EINVAL, kWrap, {}, "there is none");
  return der_of<i2d_PKCS7>(pack.get());
}

Result<std::string> pems_of(std::string_view der) {
  const ErrorQueue errors;
  if (der.size() > kMostCertificateBytes) return failure(EINVAL, kUnwrap, {}, "it is longer than 64 KiB");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Pkcs7Ptr pack(d2i_PKCS7(nullptr, &at, static_cast<long>(der.size())));
  if (!pack || PKCS7_type_is_signed(pack.get()) == 0 || pack->d.sign == nullptr) {
    return errors.failure(EINVAL, kUnwrap, {}, "not a PKCS#7 of certificates");
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const STACK_OF(X509)* held = pack->d.sign->cert;
  for (int i = 0; i < sk_X509_num(held); ++i) {
    if (PEM_write_bio_X509(bio.get(), sk_X509_value(held, i)) != 1) return errors.failure(EIO, kUnwrap);
  }
  std::string out = text_of(bio.get());
  if (out.empty()) return failure(EINVAL, kUnwrap, {}, "no certificate in it");
  return out;
}

std::string request_attributes() {
  const ErrorQueue errors;
  ObjectPtr wireguard(OBJ_txt2obj(kWireGuardKeyOid, 1));
  std::string inner = attribute(NID_X9_62_id_ecPublicKey, OBJ_nid2obj(NID_X9_62_prime256v1));
  inner += attribute(NID_ext_req, wireguard.get());
  std::ignore = wireguard.release();  // the attribute freed it
  inner += der_of<i2d_ASN1_OBJECT>(OBJ_nid2obj(NID_ecdsa_with_SHA256));
  std::string out(static_cast<size_t>(ASN1_object_size(1, static_cast<int>(inner.size()), V_ASN1_SEQUENCE)), '\0');
  auto* at = reinterpret_cast<unsigned char*>(out.data());
  ASN1_put_object(&at, 1, static_cast<int>(inner.size()), V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
  inner.copy(reinterpret_cast<char*>(at), inner.size());
  return out;
}

}  // namespace gw::pki
