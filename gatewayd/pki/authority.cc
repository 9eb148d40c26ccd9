// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/authority.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority_impl.h"
#include "gatewayd/pki/keys.h"

namespace gw::pki {
namespace {

constexpr const char* kOpen = "open certificate authority";
constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kRootLife = (20 * 365 + 5) * kDay;     // 20 years with their leap days
constexpr UnixSeconds kIssuingLife = (10 * 365 + 2) * kDay;  // 10 years

Result<AuthorityFiles> make_authority(const std::string& gateway, UnixSeconds now) {
  if (gateway.empty())
    return failure(EINVAL, "make certificate authority", {}, "the gateway has no name; write gateway.name");
  const auto root = make_ca({.organisation = gateway, .name = "gatewayd root CA", .now = now});
  if (!root) return std::unexpected(root.error());
  const auto issuing = make_ca({.organisation = gateway, .name = "gatewayd issuing CA", .issuer = &*root, .now = now});
  if (!issuing) return std::unexpected(issuing.error());
  AuthorityFiles files;
  files.root_certificate = pem_of(root->certificate.get());
  files.root_key = root->key.reveal_pem();
  files.issuing_certificate = pem_of(issuing->certificate.get());
  files.issuing_key = issuing->key.reveal_pem();
  return files;
}

std::unexpected<Error> absent(const std::string& directory, const AuthorityFiles& files) {
  if (files.request.empty()) return failure(ENOENT, kOpen, directory, "there is none yet");
  return failure(EINPROGRESS, kOpen, directory, "it waits for the certificate of its request: gwctl ca import FILE");
}

std::unexpected<Error> damaged(const std::string& directory, const std::string& what) {
  return failure(EUCLEAN, kOpen, directory,
                 what + ": restore the directory from the backup of this gateway; nothing was changed");
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

/// Of the issuers before the present one those whose keys are there: the others' lists are made no more.
Result<void> add_earlier_issuers(Authority::Impl& out, const std::string& directory, const AuthorityFiles& files) {
  for (std::string& pem : pem_blocks(files.earlier_keys)) {
    auto key = PrivateKey::parse(pem);
    wipe(pem);
    if (!key) return damaged(directory, "earlier.key is damaged (" + key.error().detail + ")");
    for (const Certificate& issuer : out.view.issuers()) {
      auto certificate = read_certificate(issuer.pem);
      if (!certificate) return std::unexpected(certificate.error());
      if (X509_check_private_key(certificate->get(), key->impl().key.get()) != 1) continue;
      out.issuers.push_back({std::move(*certificate), std::move(*key), issuer.sha256});
      break;
    }
  }
  return {};
}

}  // namespace

std::string next_name(const std::string& common_name) {
  const size_t space = common_name.rfind(' ');
  const std::string last = space == std::string::npos ? std::string() : common_name.substr(space + 1);
  const bool numbered = !last.empty() && last.size() < 5 && last.find_first_not_of("0123456789") == std::string::npos;
  return numbered ? common_name.substr(0, space + 1) + std::to_string(std::stoi(last) + 1) : common_name + " 2";
}

Result<Signing> make_ca(const NewAuthority& wanted) {
  auto key = PrivateKey::generate();
  if (!key) return std::unexpected(key.error());
  const auto subject = make_name(wanted.organisation, wanted.name);
  if (!subject) return std::unexpected(subject.error());
  const Signing* issuer = wanted.issuer;
  CertificateTemplate what{
      .subject = subject->get(),
      .public_key = key->impl().key.get(),
      .issuer = issuer != nullptr ? issuer->certificate.get() : nullptr,
      .issuer_key = issuer != nullptr ? issuer->key.impl().key.get() : key->impl().key.get(),
      .not_before = wanted.now - kBackdate,
      .not_after = wanted.now + (issuer != nullptr ? kIssuingLife : kRootLife),
      .extensions = {{NID_basic_constraints, issuer != nullptr ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE"},
                     {NID_key_usage, "critical,keyCertSign,cRLSign"},
                     {NID_subject_key_identifier, "hash"}},
      .wireguard = std::nullopt};
  if (issuer != nullptr) {
    what.extensions.emplace_back(NID_authority_key_identifier, "keyid:always");
    const auto root = describe(issuer->certificate.get());
    if (!root) return std::unexpected(root.error());
    what.not_after = std::min(what.not_after, root->not_after);
  }
  auto certificate = build_certificate(what);
  if (!certificate) return std::unexpected(certificate.error());
  const auto facts = describe(certificate->get());
  if (!facts) return std::unexpected(facts.error());
  return Signing{std::move(*certificate), std::move(*key), facts->sha256};
}

Result<Authority::Impl> assemble(const std::string& directory, const AuthorityFiles& files) {
  AuthorityCertificates texts{.root = files.root_certificate,
                              .issuing = files.issuing_certificate,
                              .cross = pem_blocks(files.cross),
                              .earlier = pem_blocks(files.earlier),
                              .has_root_key = !files.root_key.empty(),
                              .request = files.request};
  const auto view = AuthorityView::of(texts);
  if (!view) return damaged(directory, view.error().detail);
  auto root = read_certificate(files.root_certificate);
  auto issuing = read_certificate(files.issuing_certificate);
  if (!root || !issuing) return damaged(directory, "a certificate cannot be read");
  if (!files.root_key.empty()) {
    if (auto key = read_ca_key(directory, "root", files.root_key, root->get()); !key)
      return std::unexpected(key.error());
  }
  auto key = read_ca_key(directory, "issuing", files.issuing_key, issuing->get());
  if (!key) return std::unexpected(key.error());
  Authority::Impl out{.view = *view, .issuers = {}};
  out.issuers.push_back({std::move(*issuing), std::move(*key), view->issuing().sha256});
  if (auto added = add_earlier_issuers(out, directory, files); !added) return std::unexpected(added.error());
  return out;
}

Result<Authority> Authority::load(const std::string& directory) {
  const auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  if (!files->has_authority()) return absent(directory, *files);
  auto impl = assemble(directory, *files);
  if (!impl) return std::unexpected(impl.error());
  return Authority(std::make_unique<Impl>(std::move(*impl)));
}

Result<Authority> Authority::open(const std::string& directory, const std::string& name, UnixSeconds now) {
  if (auto made = make_directories(parent_of(directory), 0700); !made) return std::unexpected(made.error());
  const auto lock = lock_directory(parent_of(directory));
  if (!lock) return std::unexpected(lock.error());
  forget_aside(directory);
  auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  if (!files->has_authority() && !files->request.empty()) return absent(directory, *files);
  if (!files->has_authority()) {
    auto fresh = make_authority(name, now);
    if (!fresh) return std::unexpected(fresh.error());
    if (auto stored = store_authority(directory, *fresh); !stored) return std::unexpected(stored.error());
    *files = std::move(*fresh);
  }
  auto impl = assemble(directory, *files);
  if (!impl) return std::unexpected(impl.error());
  return Authority(std::make_unique<Impl>(std::move(*impl)));
}

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

const AuthorityView& Authority::view() const { return impl_->view; }

Result<NamedFiles> export_authority(const std::string& directory) {
  const auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  return by_name(*files);
}

Result<void> stage_authority(const std::string& directory, const NamedFiles& named) {
  constexpr const char* kStage = "restore certificate authority";
  const std::string staged = directory + ".restore";
  if (auto made = make_directories(parent_of(directory), 0700); !made) return made;
  const auto lock = lock_directory(parent_of(directory));
  if (!lock) return std::unexpected(lock.error());
  if (named.empty()) return remove_authority(staged);
  const auto files = from_names(named);
  if (!files) return std::unexpected(files.error());
  if (auto whole = assemble(directory, *files); !whole) return failure(EINVAL, kStage, {}, whole.error().detail);
  return store_authority(staged, *files);
}

Result<void> adopt_authority(const std::string& directory) {
  const auto lock = lock_directory(parent_of(directory));
  if (!lock) return std::unexpected(lock.error());
  const auto staged = load_authority(directory + ".restore");
  if (!staged) return std::unexpected(staged.error());
  if (!staged->has_authority()) return {};
  if (const auto present = load_authority(directory); present && present->has_authority()) {
    if (auto kept = store_authority(directory + ".before-restore", *present); !kept) return kept;
  }
  if (auto stored = store_authority(directory, *staged); !stored) return stored;
  return remove_authority(directory + ".restore");
}

}  // namespace gw::pki
