// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <cerrno>

#include "gatewayd/pki/keys.h"
#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {
namespace {

constexpr const char* kOperation = "make PKCS#12";

void free_all(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using CertificatesPtr = std::unique_ptr<STACK_OF(X509), Release<free_all>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, Release<PKCS12_free>>;

CertificatesPtr read_chain(const std::string& pem) {
  CertificatesPtr out(sk_X509_new_null());
  const BioPtr bio = reader(pem);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) sk_X509_push(out.get(), one);
  ERR_clear_error();  // the end of the text
  return out;
}

}  // namespace

Result<std::string> make_pkcs12(const std::string& key_pem, const std::string& certificate_pem,
                                const std::string& chain_pem, const std::string& name, const std::string& passphrase) {
  if (passphrase.empty()) return failure(EINVAL, kOperation, name, "it needs a passphrase");
  const ErrorQueue errors;
  const auto key = PrivateKey::parse(key_pem);
  if (!key) return std::unexpected(key.error());
  const BioPtr bio = reader(certificate_pem);
  const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) return errors.failure(EINVAL, kOperation, name, "there is no certificate in PEM");
  const CertificatesPtr chain = read_chain(chain_pem);
  const Pkcs12Ptr both(PKCS12_create(passphrase.c_str(), name.c_str(), key->impl().key.get(), certificate.get(),
                                     chain.get(), 0, 0, 0, 0, 0));
  if (!both) return errors.failure(EINVAL, kOperation, name, "key and certificate do not fit");
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!out || i2d_PKCS12_bio(out.get(), both.get()) != 1) return errors.failure(EIO, kOperation, name);
  return text_of(out.get());
}

}  // namespace gw::pki
