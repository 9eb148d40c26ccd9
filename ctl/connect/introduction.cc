// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/introduction.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>

#include "ctl/passphrase.h"
#include "ctl/secret.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/certificate.h"

namespace gw::connect {
namespace {

constexpr const char* kRead = "read the certificate to join with";
constexpr const char* kReadKey = "read the key of the certificate to join with";
constexpr size_t kMostBytes = size_t{64} << 10U;
constexpr size_t kMostChain = 8;

/// What OpenSSL is told when it finds a key encrypted.
struct Passphrase {
  ctl::Secret text;
  bool wanted = false;
};

int give(char* buffer, int size, int /*writing*/, void* context) {
  auto& passphrase = *static_cast<Passphrase*>(context);
  passphrase.wanted = true;
  const std::string& text = passphrase.text.text;
  if (text.empty() || text.size() > static_cast<size_t>(size)) return -1;
  std::ranges::copy(text, buffer);
  return static_cast<int>(text.size());
}

pki::KeyPtr decode(const std::string& pem, Passphrase& passphrase) {
  const pki::BioPtr bio = pki::reader(pem);
  return pki::KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, give, &passphrase));
}

Result<pki::KeyPtr> read_key(const std::string& file, const std::string& passphrase_file) {
  auto text = read_file(file, kMostBytes);
  if (!text) return std::unexpected(text.error());
  const ctl::Secret pem(std::move(*text));
  const pki::ErrorQueue errors;
  Passphrase passphrase;
  auto key = decode(pem.text, passphrase);
  if (!key && passphrase.wanted) {
    auto asked = ctl::ask_passphrase(passphrase_file, file, false);
    if (!asked) return failure(EINVAL, kReadKey, file, asked.error().text);
    passphrase.text.text.swap(*asked);
    key = decode(pem.text, passphrase);
    if (!key) return failure(EINVAL, kReadKey, file, "the passphrase does not open it");
  }
  if (!key) return errors.failure(EINVAL, kReadKey, file, "it holds no private key in PEM");
  return key;
}

}  // namespace

Result<Introduction> read_introduction(const std::string& certificate_file, const std::string& key_file,
                                       const std::string& passphrase_file) {
  const auto text = read_file(certificate_file, kMostBytes);
  if (!text) return std::unexpected(text.error());
  const auto all = pki::read_certificates(*text, kMostChain + 1);
  if (all.empty()) return failure(EINVAL, kRead, certificate_file, "it holds no certificate in PEM");
  auto key = read_key(key_file, passphrase_file);
  if (!key) return std::unexpected(key.error());
  const pki::ErrorQueue errors;
  if (X509_check_private_key(all.front().get(), key->get()) != 1)
    return failure(EINVAL, kRead, certificate_file, "its first certificate is not for the key in " + key_file);
  Introduction out{.certificate_pem = pki::pem_of(all.front().get()), .chain_pem = {}, .key = std::move(*key)};
  for (size_t i = 1; i < all.size(); ++i) out.chain_pem += pki::pem_of(all[i].get());
  return out;
}

}  // namespace gw::connect
