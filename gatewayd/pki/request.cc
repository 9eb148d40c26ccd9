// SPDX-License-Identifier: Apache-2.0
#include <openssl/pem.h>

#include <cerrno>
#include <tuple>

#include "gatewayd/pki/extensions.h"
#include "gatewayd/pki/keys.h"

namespace gw::pki {
namespace {

constexpr const char* kRead = "read signing request";
constexpr const char* kMake = "make signing request";

Result<PublicKey> requested_key(X509_REQ* request) {
  const ExtensionsPtr extensions(X509_REQ_get_extensions(request));
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
    const X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions.get(), i);
    if (is_wireguard_extension(extension)) continue;
    return failure(EINVAL, kRead, {},
                   "it asks for the extension " + name_of(extension) + "; only the WireGuard key may be asked for");
  }
  const auto key = wireguard_key_in(extensions.get());
  if (!key) return failure(EINVAL, kRead, {}, key.error().detail);
  if (!*key)
    return failure(EINVAL, kRead, {}, "it holds no WireGuard key (extension " + std::string(kWireGuardKeyOid) + ")");
  if ((*key)->is_low_order()) {
    return failure(EINVAL, kRead, {},
                   "its WireGuard key " + (*key)->str() + " is a point of low order, which protects nothing");
  }
  return **key;
}

Result<std::string> sign_request(X509_REQ* request, const PrivateKey& key, const std::string& name,
                                 const ErrorQueue& errors) {
  if (X509_REQ_set_pubkey(request, key.impl().key.get()) != 1 ||
      X509_REQ_sign(request, key.impl().key.get(), EVP_sha256()) <= 0) {
    return errors.failure(EIO, kMake, name);
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(bio.get(), request) != 1) return errors.failure(EIO, kMake, name);
  return text_of(bio.get());
}

Result<RequestPtr> read_request(const std::string& pem, const ErrorQueue& errors) {
  if (pem.size() > kMaxPemSize) return failure(EINVAL, kRead, {}, "it is longer than 16 KiB");
  const BioPtr bio = reader(pem);
  RequestPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr));
  if (!request) return errors.failure(EINVAL, kRead, {}, "not a PKCS#10 request in PEM");
  return request;
}

Result<std::string> requested_public_key(X509_REQ* request, const ErrorQueue& errors) {
  EVP_PKEY* key = X509_REQ_get0_pubkey(request);
  if (key == nullptr) return errors.failure(EINVAL, kRead, {}, "its public key is of no known kind");
  if (!is_p256(key)) return failure(EINVAL, kRead, {}, "its public key is not a P-256 key on the named curve");
  if (X509_REQ_verify(request, key) != 1) {
    return errors.failure(EINVAL, kRead, {},
                          "its signature does not fit: it was changed, or not made by the holder of the key");
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), key) != 1) return errors.failure(EIO, kRead);
  return text_of(bio.get());
}

}  // namespace

Result<std::string> make_request(const PrivateKey& key, const std::string& name, const PublicKey& wireguard) {
  const ErrorQueue errors;
  const RequestPtr request(X509_REQ_new());
  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  ExtensionPtr extension = wireguard_extension(wireguard);
  if (!request || !extensions || !extension) return errors.failure(ENOMEM, kMake, name);
  if (sk_X509_EXTENSION_push(extensions.get(), extension.get()) == 0) return errors.failure(ENOMEM, kMake, name);
  std::ignore = extension.release();  // now the stack's
  // The limit of 64 characters (RFC 5280, ub-common-name) is OpenSSL's to check.
  if (X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request.get()), NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1,
                                 0) != 1) {
    return errors.failure(EINVAL, kMake, name, "the name does not fit a certificate");
  }
  if (X509_REQ_add_extensions(request.get(), extensions.get()) != 1) return errors.failure(EIO, kMake, name);
  return sign_request(request.get(), key, name, errors);
}

Result<std::string> make_server_request(const PrivateKey& key) {
  const ErrorQueue errors;
  const RequestPtr request(X509_REQ_new());
  if (!request) return errors.failure(ENOMEM, kMake);
  return sign_request(request.get(), key, {}, errors);
}

Result<std::string> parse_server_request(const std::string& pem) {
  const ErrorQueue errors;
  const auto request = read_request(pem, errors);
  if (!request) return std::unexpected(request.error());
  return requested_public_key(request->get(), errors);
}

Result<Request> parse_request(const std::string& pem) {
  const ErrorQueue errors;
  const auto request = read_request(pem, errors);
  if (!request) return std::unexpected(request.error());
  const auto public_key = requested_public_key(request->get(), errors);
  if (!public_key) return std::unexpected(public_key.error());
  const auto wireguard = requested_key(request->get());
  if (!wireguard) return std::unexpected(wireguard.error());
  const auto name = common_name(X509_REQ_get_subject_name(request->get()));
  if (!name) return failure(EINVAL, kRead, {}, "common name: " + name.error().detail);
  return Request{*name, *wireguard, *public_key};
}

}  // namespace gw::pki
