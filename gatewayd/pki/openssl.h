// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: OpenSSL's handles as unique pointers, and its error queue as text.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "gatewayd/base/result.h"

namespace gw::pki {

template <auto Free>
struct Release {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

inline void free_extensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
inline void free_buffer(unsigned char* buffer) { OPENSSL_free(buffer); }
inline void free_chain(STACK_OF(X509) * stack) { sk_X509_free(stack); }  // the certificates belong to others

using BignumPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using BufferPtr = std::unique_ptr<unsigned char, Release<free_buffer>>;
using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), Release<free_chain>>;
using CrlPtr = std::unique_ptr<X509_CRL, Release<X509_CRL_free>>;
using EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, Release<ASN1_ENUMERATED_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), Release<free_extensions>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, Release<ASN1_INTEGER_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using NamePtr = std::unique_ptr<X509_NAME, Release<X509_NAME_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Release<ASN1_OBJECT_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, Release<ASN1_OCTET_STRING_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Release<X509_REQ_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, Release<X509_REVOKED_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Release<X509_STORE_CTX_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, Release<ASN1_TIME_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;

/// The longest PEM text that is looked at: requests and certificates come from outside.
inline constexpr size_t kMaxPemSize = size_t{16} << 10U;

/// The thread's OpenSSL error queue, empty at birth and at the end, so that no error is told in the wrong place.
class ErrorQueue {
 public:
  ErrorQueue();
  ~ErrorQueue();
  ErrorQueue(const ErrorQueue&) = delete;
  ErrorQueue& operator=(const ErrorQueue&) = delete;

  /// A failure whose detail is `hint`, then what OpenSSL said, oldest first.
  [[nodiscard]] std::unexpected<Error> failure(int code, std::string operation, std::string object = {},
                                               std::string hint = {}) const;
};

/// What has been written into a memory BIO.
std::string text_of(BIO* bio);

/// A read-only BIO over `text`, which must outlive it.
BioPtr reader(const std::string& text);

/// Declines to decrypt: nobody sits at the daemon's terminal.
int no_passphrase(char* buffer, int size, int writing, void* context);

}  // namespace gw::pki
