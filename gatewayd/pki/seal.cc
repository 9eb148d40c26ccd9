// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/seal.h"

#include <openssl/cms.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <utility>

#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {
namespace {

using CmsPtr = std::unique_ptr<CMS_ContentInfo, Release<CMS_ContentInfo_free>>;

/// A copy that OpenSSL frees with the recipient, after zeroing it.
unsigned char* own_copy(std::string_view passphrase) {
  return static_cast<unsigned char*>(OPENSSL_memdup(passphrase.data(), passphrase.size()));
}

BioPtr memory_of(std::string_view content) {
  return BioPtr(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
}

Result<CmsPtr> parse(std::string_view sealed) {
  constexpr const char* kWhat = "read sealed file";
  const ErrorQueue errors;
  const auto* at = reinterpret_cast<const unsigned char*>(sealed.data());
  const unsigned char* const end = at + sealed.size();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(sealed.size())));
  if (!cms || at != end) return failure(EINVAL, kWhat, "", "it is cut short, or no sealed file at all");
  // Only what authenticates its content is taken: EnvelopedData would not.
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_id_smime_ct_authEnvelopedData) {
    return failure(EINVAL, kWhat, "", "it is sealed in another way");
  }
  return cms;
}

}  // namespace

Result<std::string> seal(std::string_view content, std::string_view passphrase) {
  constexpr const char* kWhat = "seal";
  if (content.size() > INT_MAX) return failure(EFBIG, kWhat);
  const ErrorQueue errors;
  const CmsPtr cms(CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()));
  unsigned char* secret = cms ? own_copy(passphrase) : nullptr;
  if (secret == nullptr) return errors.failure(ENOMEM, kWhat);
  if (CMS_add0_recipient_password(cms.get(), kIterations, NID_id_alg_PWRI_KEK, NID_id_pbkdf2, secret,
                                  static_cast<ossl_ssize_t>(passphrase.size()), EVP_aes_256_cbc()) == nullptr) {
    OPENSSL_clear_free(secret, passphrase.size());
    return errors.failure(EIO, kWhat);
  }
  const BioPtr in = memory_of(content);
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!in || !out || CMS_set_detached(cms.get(), 0) != 1 || CMS_final(cms.get(), in.get(), nullptr, CMS_BINARY) != 1 ||
      i2d_CMS_bio(out.get(), cms.get()) != 1) {
    return errors.failure(EIO, kWhat);
  }
  return text_of(out.get());
}

Result<std::string> unseal(std::string_view sealed, std::string_view passphrase) {
  if (sealed.size() > INT_MAX) return failure(EFBIG, "read sealed file");
  const auto cms = parse(sealed);
  if (!cms) return std::unexpected(cms.error());
  const ErrorQueue errors;
  std::string secret(passphrase);
  const BioPtr out(BIO_new(BIO_s_mem()));
  const bool opened = out &&
                      CMS_decrypt_set1_password(cms->get(), reinterpret_cast<unsigned char*>(secret.data()),
                                                static_cast<ossl_ssize_t>(secret.size())) == 1 &&
                      CMS_decrypt(cms->get(), nullptr, nullptr, nullptr, out.get(), CMS_BINARY) == 1;
  wipe(secret);
  if (!opened) {
    return failure(EKEYREJECTED, "read sealed file", "", "the passphrase is wrong, or the file has been changed");
  }
  return text_of(out.get());
}

}  // namespace gw::pki
