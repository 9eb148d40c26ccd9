// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/authority.h"

#include <cerrno>
#include <utility>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority_files.h"
#include "gatewayd/pki/keys.h"

namespace gw::pki {
namespace {

constexpr const char* kOpen = "open certificate authority";
constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kRootLife = (20 * 365 + 5) * kDay;     // 20 years with their leap days
constexpr UnixSeconds kIssuingLife = (10 * 365 + 2) * kDay;  // 10 years

struct Pair {
  PrivateKey key;
  X509Ptr certificate;
};

Result<Pair> make_ca(const std::string& organisation, const std::string& name, const Pair* issuer,
                     const std::string& constraints, UnixSeconds now, UnixSeconds life) {
  auto key = PrivateKey::generate();
  if (!key) return std::unexpected(key.error());
  const auto subject = make_name(organisation, name);
  if (!subject) return std::unexpected(subject.error());
  CertificateTemplate what{.subject = subject->get(),
                           .public_key = key->impl().key.get(),
                           .issuer = issuer != nullptr ? issuer->certificate.get() : nullptr,
                           .issuer_key = issuer != nullptr ? issuer->key.impl().key.get() : key->impl().key.get(),
                           .not_before = now - kBackdate,
                           .not_after = now + life,
                           .extensions = {{NID_basic_constraints, "critical," + constraints},
                                          {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                          {NID_subject_key_identifier, "hash"}},
                           .wireguard = std::nullopt};
  if (issuer != nullptr) what.extensions.emplace_back(NID_authority_key_identifier, "keyid:always");
  auto certificate = build_certificate(what);
  if (!certificate) return std::unexpected(certificate.error());
  return Pair{std::move(*key), std::move(*certificate)};
}

Result<AuthorityFiles> make_authority(const std::string& gateway, UnixSeconds now) {
  if (gateway.empty())
    return failure(EINVAL, "make certificate authority", {}, "the gateway has no name; write gateway.name");
  const auto root = make_ca(gateway, "gatewayd root CA", nullptr, "CA:TRUE", now, kRootLife);
  if (!root) return std::unexpected(root.error());
  const auto issuing = make_ca(gateway, "gatewayd issuing CA", &*root, "CA:TRUE,pathlen:0", now, kIssuingLife);
  if (!issuing) return std::unexpected(issuing.error());
  const auto root_facts = describe(root->certificate.get());
  if (!root_facts) return std::unexpected(root_facts.error());
  const auto issuing_facts = describe(issuing->certificate.get());
  if (!issuing_facts) return std::unexpected(issuing_facts.error());
  AuthorityFiles files;
  files.root_certificate = root_facts->pem;
  files.root_key = root->key.reveal_pem();
  files.issuing_certificate = issuing_facts->pem;
  files.issuing_key = issuing->key.reveal_pem();
  return files;
}

std::unexpected<Error> damaged(const std::string& directory, const std::string& what) {
  return failure(EUCLEAN, kOpen, directory,
                 what + ": restore the directory from the backup of this gateway; nothing was changed");
}

Result<std::pair<X509Ptr, Certificate>> read_ca(const std::string& directory, const std::string& file,
                                                const std::string& pem) {
  auto certificate = read_certificate(pem);
  if (!certificate) return damaged(directory, file + " is damaged (" + certificate.error().detail + ")");
  auto facts = describe(certificate->get());
  if (!facts) return damaged(directory, file + " is damaged (" + facts.error().detail + ")");
  if (!facts->is_ca) return damaged(directory, file + " is not the certificate of an authority");
  return std::pair{std::move(*certificate), std::move(*facts)};
}

Result<PrivateKey> read_ca_key(const std::string& directory, const std::string& name, const std::string& pem,
                               X509* certificate) {
  auto key = PrivateKey::parse(pem);
  if (!key) return damaged(directory, name + ".key is damaged (" + key.error().detail + ")");
  if (X509_check_private_key(certificate, key->impl().key.get()) != 1) {
    return damaged(directory, name + ".key does not fit " + name + ".crt");
  }
  return key;
}

Result<Authority::Impl> assemble(const std::string& directory, const AuthorityFiles& files) {
  const ErrorQueue errors;
  auto root = read_ca(directory, "root.crt", files.root_certificate);
  if (!root) return std::unexpected(root.error());
  auto issuing = read_ca(directory, "issuing.crt", files.issuing_certificate);
  if (!issuing) return std::unexpected(issuing.error());
  if (!files.root_key.empty()) {
    if (auto key = read_ca_key(directory, "root", files.root_key, root->first.get()); !key)
      return std::unexpected(key.error());
  }
  auto key = read_ca_key(directory, "issuing", files.issuing_key, issuing->first.get());
  if (!key) return std::unexpected(key.error());
  EVP_PKEY* root_public = X509_get0_pubkey(root->first.get());
  if (X509_verify(root->first.get(), root_public) != 1) return damaged(directory, "root.crt is not signed by itself");
  if (X509_verify(issuing->first.get(), root_public) != 1)
    return damaged(directory, "issuing.crt is not signed by root.crt");
  StorePtr trusted(X509_STORE_new());
  if (!trusted || X509_STORE_add_cert(trusted.get(), root->first.get()) != 1)
    return errors.failure(ENOMEM, kOpen, directory);
  return Authority::Impl{.root = std::move(root->first),
                         .issuing = std::move(issuing->first),
                         .issuing_key = std::move(*key),
                         .root_facts = std::move(root->second),
                         .issuing_facts = std::move(issuing->second),
                         .trusted = std::move(trusted)};
}

}  // namespace

Result<Authority> Authority::open(const std::string& directory, const std::string& name, UnixSeconds now) {
  if (auto made = make_directories(parent_of(directory), 0700); !made) return std::unexpected(made.error());
  const auto lock = lock_directory(parent_of(directory));
  if (!lock) return std::unexpected(lock.error());
  auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  if (!*files) {
    auto fresh = make_authority(name, now);
    if (!fresh) return std::unexpected(fresh.error());
    if (auto stored = store_authority(directory, *fresh); !stored) return std::unexpected(stored.error());
    *files = std::move(*fresh);
  }
  auto impl = assemble(directory, **files);
  if (!impl) return std::unexpected(impl.error());
  return Authority(std::make_unique<Impl>(std::move(*impl)));
}

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

const Certificate& Authority::root() const { return impl_->root_facts; }
const Certificate& Authority::issuing() const { return impl_->issuing_facts; }
std::string Authority::chain_pem() const { return impl_->issuing_facts.pem + impl_->root_facts.pem; }

}  // namespace gw::pki
