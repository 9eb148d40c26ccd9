// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/pki/authority.h"

namespace gw::pki {

/// Who holds the authority's keys, as those see it who need a signature (docs/adr/0010-signer.md). Errors are those of
/// `Authority`, and of the way there. One thread.
class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  /// The present public half. ENOENT: there is no authority yet; EINPROGRESS: its request waits for a certificate.
  virtual Result<AuthorityView> view() = 0;
  /// Makes the authority when there is none.
  virtual Result<AuthorityView> init(const std::string& name, UnixSeconds now) = 0;
  virtual Result<Certificate> issue(const Request& request, const std::string& name, const std::string& device_uuid,
                                    UnixSeconds now, UnixSeconds not_after) = 0;
  virtual Result<Certificate> issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                           UnixSeconds now, UnixSeconds not_after) = 0;
  virtual Result<std::string> make_crl(const std::vector<RevokedCertificate>& revoked, uint64_t number, UnixSeconds now,
                                       UnixSeconds next_update, const std::string& issuer) = 0;
  virtual Result<AuthorityView> rotate(const std::string& name, Rotation what, UnixSeconds now) = 0;
  virtual Result<std::string> request(const std::string& name) = 0;
  virtual Result<AuthorityView> import(const std::string& pems, bool cut_off, UnixSeconds now) = 0;
};

/// In the process that can read the keys' directory.
class LocalSigner final : public Signer {
 public:
  explicit LocalSigner(std::string directory) : directory_(std::move(directory)) {}

  Result<AuthorityView> view() override;
  Result<AuthorityView> init(const std::string& name, UnixSeconds now) override;
  Result<Certificate> issue(const Request& request, const std::string& name, const std::string& device_uuid,
                            UnixSeconds now, UnixSeconds not_after) override;
  Result<Certificate> issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                   UnixSeconds now, UnixSeconds not_after) override;
  Result<std::string> make_crl(const std::vector<RevokedCertificate>& revoked, uint64_t number, UnixSeconds now,
                               UnixSeconds next_update, const std::string& issuer) override;
  Result<AuthorityView> rotate(const std::string& name, Rotation what, UnixSeconds now) override;
  Result<std::string> request(const std::string& name) override;
  Result<AuthorityView> import(const std::string& pems, bool cut_off, UnixSeconds now) override;

 private:
  Result<const Authority*> open();
  Result<AuthorityView> use(Result<Authority> fresh);

  std::string directory_;
  std::optional<Authority> authority_;
  timespec read_at_{};  // the directory's mtime: an operator may take root.key away, or restore a backup
};

}  // namespace gw::pki
