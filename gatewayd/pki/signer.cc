// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/signer.h"

#include <sys/stat.h>

#include <utility>

namespace gw::pki {

namespace {

timespec changed_at(const std::string& directory) {
  struct stat facts{};
  return ::stat(directory.c_str(), &facts) == 0 ? facts.st_mtim : timespec{};
}

}  // namespace

Result<const Authority*> LocalSigner::open() {
  const timespec now = changed_at(directory_);
  if (!authority_ || now.tv_sec != read_at_.tv_sec || now.tv_nsec != read_at_.tv_nsec) {
    authority_.reset();
    auto loaded = Authority::load(directory_);
    if (!loaded) return std::unexpected(loaded.error());
    authority_ = std::move(*loaded);
    read_at_ = now;
  }
  return &*authority_;
}

Result<AuthorityView> LocalSigner::use(Result<Authority> fresh) {
  if (!fresh) return std::unexpected(fresh.error());
  read_at_ = changed_at(directory_);
  authority_ = std::move(*fresh);
  return authority_->view();
}

Result<AuthorityView> LocalSigner::view() {
  const auto authority = open();
  if (!authority) return std::unexpected(authority.error());
  return (*authority)->view();
}

Result<AuthorityView> LocalSigner::init(const std::string& name, UnixSeconds now) {
  return use(Authority::open(directory_, name, now));
}

Result<Certificate> LocalSigner::issue(const Request& request, const std::string& name, const std::string& device_uuid,
                                       UnixSeconds now, UnixSeconds not_after) {
  const auto authority = open();
  if (!authority) return std::unexpected(authority.error());
  return (*authority)->issue(request, name, device_uuid, now, not_after);
}

Result<Certificate> LocalSigner::issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                              UnixSeconds now, UnixSeconds not_after) {
  const auto authority = open();
  if (!authority) return std::unexpected(authority.error());
  return (*authority)->issue_server(public_key_pem, names, now, not_after);
}

Result<std::string> LocalSigner::make_crl(const std::vector<RevokedCertificate>& revoked, uint64_t number,
                                          UnixSeconds now, UnixSeconds next_update, const std::string& issuer) {
  const auto authority = open();
  if (!authority) return std::unexpected(authority.error());
  return (*authority)->make_crl(revoked, number, now, next_update, issuer);
}

Result<AuthorityView> LocalSigner::rotate(const std::string& name, Rotation what, UnixSeconds now) {
  return use(Authority::rotate(directory_, name, what, now));
}

Result<std::string> LocalSigner::request(const std::string& name) { return Authority::request(directory_, name); }

Result<AuthorityView> LocalSigner::import(const std::string& pems, bool cut_off, UnixSeconds now) {
  return use(Authority::import(directory_, pems, cut_off, now));
}

}  // namespace gw::pki
