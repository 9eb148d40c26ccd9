// SPDX-License-Identifier: Apache-2.0
#include <openssl/pem.h>

#include <cerrno>
#include <tuple>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority_impl.h"
#include "gatewayd/pki/keys.h"

/// New certificates in place of the present ones, while what was issued stays good.
namespace gw::pki {
namespace {

constexpr const char* kRotate = "rotate certificate authority";
constexpr const char* kRequest = "request a certificate for the authority";
constexpr const char* kImport = "import the authority's certificate";
constexpr size_t kMostImported = 8;  // certificates

Result<UniqueFd> locked(const std::string& directory) {
  if (auto made = make_directories(parent_of(directory), 0700); !made) return std::unexpected(made.error());
  return lock_directory(parent_of(directory));
}

/// Both halves of the root, or ENOKEY.
Result<Signing> root_of(const AuthorityFiles& files, const std::string& directory) {
  if (files.root_key.empty()) {
    return failure(ENOKEY, kRotate, directory,
                   "root.key is kept elsewhere: put it back for the time of the rotation, or use gwctl ca request and "
                   "gwctl ca import");
  }
  auto certificate = read_certificate(files.root_certificate);
  if (!certificate) return std::unexpected(certificate.error());
  auto key = PrivateKey::parse(files.root_key);
  if (!key) return std::unexpected(key.error());
  return Signing{std::move(*certificate), std::move(*key), {}};
}

/// `root`'s key and name, signed by the root before it (RFC 4210 §4.4): ends when either does.
Result<std::string> cross_sign(X509* root, const Signing& before, UnixSeconds now) {
  const auto facts = describe(root);
  if (!facts) return std::unexpected(facts.error());
  const auto old = describe(before.certificate.get());
  if (!old) return std::unexpected(old.error());
  auto certificate = build_certificate({.subject = X509_get_subject_name(root),
                                        .public_key = X509_get0_pubkey(root),
                                        .issuer = before.certificate.get(),
                                        .issuer_key = before.key.impl().key.get(),
                                        .not_before = now - kBackdate,
                                        .not_after = std::min(facts->not_after, old->not_after),
                                        .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                                       {NID_subject_key_identifier, "hash"},
                                                       {NID_authority_key_identifier, "keyid:always"}},
                                        .wireguard = std::nullopt});
  if (!certificate) return std::unexpected(certificate.error());
  return pem_of(certificate->get());
}

/// Those of `pems` that have not ended.
std::string still_good(const std::string& pems, UnixSeconds now) {
  std::string out;
  for (const std::string& pem : pem_blocks(pems)) {
    const auto facts = parse_certificate(pem);
    if (facts && facts->not_after >= now) out += pem;
  }
  return out;
}

/// What is in force becomes earlier.
void retire(AuthorityFiles& files, bool root_too, UnixSeconds now) {
  std::string earlier = files.issuing_certificate + (root_too ? files.root_certificate : "");
  files.earlier = std::move(earlier) + still_good(files.earlier, now);
  files.earlier_keys = files.issuing_key + files.earlier_keys;
  wipe(files.issuing_key);
}

Result<Authority> put_in_force(const std::string& directory, const AuthorityFiles& files) {
  // Nothing is stored that would not open again.
  if (auto good = assemble(directory, files); !good) return std::unexpected(good.error());
  if (auto stored = store_authority(directory, files); !stored) return std::unexpected(stored.error());
  return Authority::load(directory);
}

Result<std::string> make_ca_request(const PrivateKey& key, const std::string& organisation, const std::string& name) {
  const ErrorQueue errors;
  const RequestPtr request(X509_REQ_new());
  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  const auto subject = make_name(organisation, name);
  if (!subject) return std::unexpected(subject.error());
  if (!request || !extensions || X509_REQ_set_subject_name(request.get(), subject->get()) != 1)
    return errors.failure(EIO, kRequest);
  for (const auto& [nid, value] : {std::pair(NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                                   std::pair(NID_key_usage, "critical,keyCertSign,cRLSign")}) {
    ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value));
    if (!extension || sk_X509_EXTENSION_push(extensions.get(), extension.get()) == 0)
      return errors.failure(EIO, kRequest);
    std::ignore = extension.release();  // now the stack's
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.impl().key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.impl().key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return errors.failure(EIO, kRequest);
  }
  return text_of(bio.get());
}

/// What came back for a request.
struct Imported {
  X509Ptr issuing, root;
  std::vector<X509Ptr> others;
};

bool may_sign(X509* certificate) {
  constexpr uint32_t kWanted = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
  return X509_check_ca(certificate) == 1 && (X509_get_key_usage(certificate) & kWanted) == kWanted;
}

Result<Imported> sort(const std::string& pems, const PrivateKey& key) {
  const auto blocks = pem_blocks(pems);
  if (blocks.empty()) return failure(EINVAL, kImport, {}, "it holds no certificate in PEM");
  if (blocks.size() > kMostImported)
    return failure(EINVAL, kImport, {}, "it holds more than " + std::to_string(kMostImported) + " certificates");
  Imported out;
  for (const std::string& block : blocks) {
    auto certificate = read_certificate(block);
    if (!certificate) return failure(EINVAL, kImport, {}, certificate.error().detail);
    X509* one = certificate->get();
    const bool own = EVP_PKEY_eq(X509_get0_pubkey(one), key.impl().key.get()) == 1;
    const bool itself = X509_verify(one, X509_get0_pubkey(one)) == 1;
    X509Ptr& place = own ? out.issuing : out.root;
    if (!own && !itself) {
      out.others.push_back(std::move(*certificate));
      continue;
    }
    if (place) return failure(EINVAL, kImport, {}, own ? "it holds two for the request" : "it holds two roots");
    place = std::move(*certificate);
  }
  if (!out.issuing) {
    return failure(EINVAL, kImport, {},
                   "none of its certificates is for the request's key; gwctl ca request prints the request again");
  }
  return out;
}

Result<void> check_issuing(X509* issuing, X509* root, UnixSeconds now) {
  const auto facts = describe(issuing);
  if (!facts) return failure(EINVAL, kImport, {}, facts.error().detail);
  if (!may_sign(issuing)) {
    return failure(EINVAL, kImport, facts->subject,
                   "it may not sign certificates: it needs basicConstraints CA:TRUE and keyUsage keyCertSign, cRLSign");
  }
  if (X509_get_pathlen(issuing) != 0)
    return failure(EINVAL, kImport, facts->subject, "it needs basicConstraints pathlen:0: it issues to devices alone");
  if (X509_get0_subject_key_id(issuing) == nullptr)
    return failure(EINVAL, kImport, facts->subject, "it has no subjectKeyIdentifier (RFC 5280 §4.2.1.2)");
  if (now < facts->not_before || now > facts->not_after) {
    return failure(EINVAL, kImport, facts->subject,
                   "it is valid from " + date_of(facts->not_before) + " to " + date_of(facts->not_after));
  }
  const int issued = X509_check_issued(root, issuing);
  if (issued != X509_V_OK || X509_verify(issuing, X509_get0_pubkey(root)) != 1) {
    return failure(EINVAL, kImport, facts->subject,
                   "it was not signed by the root; where that is not the present one, put its certificate into the "
                   "file too, and let it sign directly");
  }
  return {};
}

/// Cross certificates for another root than the present one: from the file, or made by the present root's key.
Result<std::string> cross_for(X509* root, const Imported& imported, const AuthorityFiles& files, bool cut_off,
                              UnixSeconds now) {
  const auto present = read_certificate(files.root_certificate);
  if (!present) return std::unexpected(present.error());
  for (const X509Ptr& other : imported.others) {
    if (EVP_PKEY_eq(X509_get0_pubkey(other.get()), X509_get0_pubkey(root)) != 1) continue;
    if (X509_verify(other.get(), X509_get0_pubkey(present->get())) == 1 && may_sign(other.get()))
      return pem_of(other.get());
  }
  if (!files.root_key.empty()) {
    const auto before = root_of(files, {});
    if (!before) return std::unexpected(before.error());
    return cross_sign(root, *before, now);
  }
  if (cut_off) return std::string();
  return failure(EKEYREJECTED, kImport, {},
                 "clients in the field trust the present root alone and would not believe the new one: put root.key "
                 "back for the time of the import, or a certificate for the new root's key that the present root has "
                 "signed into the file; --cut-off does without, and every device has to enrol anew");
}

Result<void> use_root(AuthorityFiles& files, const Imported& imported, bool cut_off, UnixSeconds now) {
  X509* root = imported.root.get();
  if (!may_sign(root)) return failure(EINVAL, kImport, {}, "its root is not the certificate of an authority");
  if (!files.has_authority()) {
    files.root_certificate = pem_of(root);
    return {};
  }
  auto cross = cross_for(root, imported, files, cut_off, now);
  if (!cross) return std::unexpected(cross.error());
  retire(files, true, now);
  files.cross = cross->empty() ? "" : *cross + still_good(files.cross, now);
  files.root_certificate = pem_of(root);
  wipe(files.root_key);
  files.root_key.clear();
  return {};
}

/// A root of the same kind in place of `present`; returns it with its key.
Result<Signing> replace_root(AuthorityFiles& files, const Signing& present, const std::string& organisation,
                             UnixSeconds now) {
  const auto old = describe(present.certificate.get());
  if (!old) return std::unexpected(old.error());
  auto fresh = make_ca({.organisation = organisation, .name = next_name(old->name), .now = now});
  if (!fresh) return fresh;
  const auto cross = cross_sign(fresh->certificate.get(), present, now);
  if (!cross) return std::unexpected(cross.error());
  retire(files, true, now);
  files.cross = *cross + still_good(files.cross, now);
  files.root_certificate = pem_of(fresh->certificate.get());
  wipe(files.root_key);
  files.root_key = fresh->key.reveal_pem();
  return fresh;
}

}  // namespace

Result<Authority> Authority::rotate(const std::string& directory, const std::string& name, Rotation what,
                                    UnixSeconds now) {
  const auto lock = locked(directory);
  if (!lock) return std::unexpected(lock.error());
  auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  if (!files->has_authority()) return failure(ENOENT, kRotate, directory, "there is none yet: gwctl ca init");
  auto root = root_of(*files, directory);
  if (!root) return std::unexpected(root.error());
  const auto present = parse_certificate(files->issuing_certificate);
  if (!present) return std::unexpected(present.error());
  if (what == Rotation::root) {
    root = replace_root(*files, *root, name, now);
    if (!root) return std::unexpected(root.error());
  } else {
    retire(*files, false, now);
  }
  const auto issuing = make_ca({.organisation = name, .name = next_name(present->name), .issuer = &*root, .now = now});
  if (!issuing) return std::unexpected(issuing.error());
  files->issuing_certificate = pem_of(issuing->certificate.get());
  files->issuing_key = issuing->key.reveal_pem();
  return put_in_force(directory, *files);
}

Result<std::string> Authority::request(const std::string& directory, const std::string& name) {
  const auto lock = locked(directory);
  if (!lock) return std::unexpected(lock.error());
  auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  if (!files->request.empty()) return files->request;
  std::string issuer = "gatewayd issuing CA";
  if (files->has_authority()) {
    const auto present = parse_certificate(files->issuing_certificate);
    if (!present) return std::unexpected(present.error());
    issuer = next_name(present->name);
  }
  const auto key = PrivateKey::generate();
  if (!key) return std::unexpected(key.error());
  auto made = make_ca_request(*key, name, issuer);
  if (!made) return made;
  files->request_key = key->reveal_pem();
  files->request = *made;
  if (auto stored = store_authority(directory, *files); !stored) return std::unexpected(stored.error());
  return made;
}

Result<Authority> Authority::import(const std::string& directory, const std::string& pems, bool cut_off,
                                    UnixSeconds now) {
  const auto lock = locked(directory);
  if (!lock) return std::unexpected(lock.error());
  auto files = load_authority(directory);
  if (!files) return std::unexpected(files.error());
  if (files->request_key.empty())
    return failure(ENOENT, kImport, directory, "nothing was asked for: gwctl ca request comes first");
  const auto key = PrivateKey::parse(files->request_key);
  if (!key) return std::unexpected(key.error());
  auto imported = sort(pems, *key);
  if (!imported) return std::unexpected(imported.error());
  if (!imported->root && !files->has_authority())
    return failure(EINVAL, kImport, {}, "the root's certificate is missing: put it into the file too");
  X509Ptr present;
  if (files->has_authority()) {
    auto read = read_certificate(files->root_certificate);
    if (!read) return std::unexpected(read.error());
    present = std::move(*read);
  }
  const bool other = imported->root && (!present || X509_cmp(imported->root.get(), present.get()) != 0);
  X509* root = other ? imported->root.get() : present.get();
  if (auto good = check_issuing(imported->issuing.get(), root, now); !good) return std::unexpected(good.error());
  if (other) {
    if (auto used = use_root(*files, *imported, cut_off, now); !used) return std::unexpected(used.error());
  } else {
    retire(*files, false, now);
  }
  files->issuing_certificate = pem_of(imported->issuing.get());
  files->issuing_key = std::move(files->request_key);
  files->request_key.clear();
  files->request.clear();
  return put_in_force(directory, *files);
}

}  // namespace gw::pki
