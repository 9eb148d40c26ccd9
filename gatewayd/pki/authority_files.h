// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: the directory that keeps an authority.

#include <map>
#include <string>
#include <vector>

#include "gatewayd/base/result.h"

namespace gw::pki {

/// The texts of an authority's files; the keys are zeroed at the end. Of those that may be absent empty is absent.
struct AuthorityFiles {
  std::string root_certificate;
  std::string root_key;  ///< empty: taken off the gateway
  std::string issuing_certificate;
  std::string issuing_key;
  std::string cross;         ///< certificates, newest first
  std::string earlier;       ///< certificates, newest first
  std::string earlier_keys;  ///< of the issuing ones among them
  std::string request_key;
  std::string request;  ///< PKCS#10

  AuthorityFiles() = default;
  AuthorityFiles(AuthorityFiles&&) = default;
  AuthorityFiles& operator=(AuthorityFiles&&) = default;
  ~AuthorityFiles();

  /// An authority, and not only a request for one.
  [[nodiscard]] bool has_authority() const { return !issuing_certificate.empty(); }
};

/// What `directory` holds; all empty when there is none. Keys that others could read are set to 0600. EUCLEAN: part of
/// an authority is missing; the detail names the files.
Result<AuthorityFiles> load_authority(const std::string& directory);

/// Makes `directory` hold these files and no other, all or nothing: written aside, synced, exchanged.
Result<void> store_authority(const std::string& directory, const AuthorityFiles& files);

/// The same files by their names. EINVAL: one that is none of an authority's.
std::map<std::string, std::string> by_name(const AuthorityFiles& files);
Result<AuthorityFiles> from_names(const std::map<std::string, std::string>& named);

/// Removes such a directory; it may be missing.
Result<void> remove_authority(const std::string& directory);

/// Removes what a crash has left beside `directory`: never used, or no longer.
void forget_aside(const std::string& directory);

/// The directory that an authority's is made in.
std::string parent_of(const std::string& directory);

/// The blocks of a PEM text ("-----BEGIN … -----END …-----\n"), in order. What stands between them is left out.
std::vector<std::string> pem_blocks(const std::string& pems);

}  // namespace gw::pki
